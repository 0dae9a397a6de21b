-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    session_id,
    account_id,
    client_order_id
from {{ source('lake_market', 'cancel_order') }}
where sequence <= {{ watermark() }}
