-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    order_id,
    account_id,
    client_order_id,
    instrument_id,
    price_ticks,
    quantity_lots,
    is_priority_kept = 1 as is_priority_kept
from {{ source('lake_market', 'replaced_orders') }}
where sequence <= {{ watermark() }}
