-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    asset_id,
    missing_units,
    date '1970-01-01' + opened_epoch_day::integer as opened_date,
    operator_id
from {{ source('lake_safekeeping', 'record_count_difference') }}
where sequence <= {{ watermark() }}
