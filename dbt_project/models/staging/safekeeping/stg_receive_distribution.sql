-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    item_id,
    received_units,
    operator_id
from {{ source('lake_safekeeping', 'receive_distribution') }}
where sequence <= {{ watermark() }}
