-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    item_id,
    asset_id,
    transfer_units,
    date '1970-01-01' + opened_epoch_day::integer as opened_date,
    operator_id
from {{ source('lake_safekeeping', 'transfers') }}
where sequence <= {{ watermark() }}
