-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    scenario_set_id,
    scenario_no,
    factor_id,
    return_ppb
from {{ source('lake_risk', 'factor_returns') }}
where sequence <= {{ watermark() }}
