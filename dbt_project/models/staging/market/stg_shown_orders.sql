-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    order_id,
    account_id,
    client_order_id,
    instrument_id,
    case side_code when 1 then 'BUY' when 2 then 'SELL' end as side,
    price_ticks,
    quantity_lots,
    shown_lots
from {{ source('lake_market', 'shown_orders') }}
where sequence <= {{ watermark() }}
