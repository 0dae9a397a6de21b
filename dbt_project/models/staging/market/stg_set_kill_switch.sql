-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    is_stopped <> 0 as is_stopped,
    operator_id
from {{ source('lake_market', 'set_kill_switch') }}
where sequence <= {{ watermark() }}
