-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    order_id,
    account_id,
    client_order_id,
    instrument_id,
    cancelled_lots
from {{ source('lake_market', 'cancelled_orders') }}
where sequence <= {{ watermark() }}
