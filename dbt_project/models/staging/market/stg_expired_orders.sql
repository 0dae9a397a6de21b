-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    order_id,
    account_id,
    client_order_id,
    instrument_id,
    expired_lots,
    case order_end_code when 0 then 'NONE' when 1 then 'ASKED' when 2 then 'MASS_CANCEL' when 3 then 'DISCONNECT' when 4 then 'SELF_TRADE' when 5 then 'LINKED' when 6 then 'UNFILLED' when 7 then 'DAY_END' when 8 then 'TIME' when 9 then 'AUCTION' when 10 then 'STOP' when 11 then 'ENTRY' when 12 then 'REDUCE_ONLY' when 13 then 'PRICE_BAND' when 14 then 'CIRCUIT_BREAKER' when 15 then 'NO_ROOM' when 16 then 'PRIORITY_KEPT' end as order_end
from {{ source('lake_market', 'expired_orders') }}
where sequence <= {{ watermark() }}
