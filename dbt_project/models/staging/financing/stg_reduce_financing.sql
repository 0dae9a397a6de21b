-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    item_id,
    returned_units,
    returned_money_units,
    operator_id
from {{ source('lake_financing', 'reduce_financing') }}
where sequence <= {{ watermark() }}
