-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    item_id,
    operator_id
from {{ source('lake_reserve', 'complete_control_instruction') }}
where sequence <= {{ watermark() }}
