-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    case suspense_side_code when 1 then 'LONG' when 2 then 'SHORT' end as suspense_side,
    asset_id,
    suspense_units,
    date '1970-01-01' + opened_epoch_day::integer as opened_date,
    operator_id
from {{ source('lake_safekeeping', 'open_suspense') }}
where sequence <= {{ watermark() }}
