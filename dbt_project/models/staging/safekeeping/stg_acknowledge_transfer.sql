-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    item_id,
    operator_id
from {{ source('lake_safekeeping', 'acknowledge_transfer') }}
where sequence <= {{ watermark() }}
