-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    scenario_set_id,
    scenario_count,
    historical_tail_count,
    stress_tail_count,
    operator_id
from {{ source('lake_risk', 'scenario_sets') }}
where sequence <= {{ watermark() }}
