-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    item_id,
    found_units,
    operator_id
from {{ source('lake_safekeeping', 'resolve_count_difference') }}
where sequence <= {{ watermark() }}
