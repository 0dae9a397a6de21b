-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    scenario_set_id,
    scenario_no,
    factor_id,
    return_ppb
from {{ source('lake_risk', 'set_factor_return') }}
where sequence <= {{ watermark() }}
