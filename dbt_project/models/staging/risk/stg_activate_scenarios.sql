-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    scenario_set_id,
    scenario_count,
    historical_tail_count,
    stress_tail_count,
    operator_id
from {{ source('lake_risk', 'activate_scenarios') }}
where sequence <= {{ watermark() }}
