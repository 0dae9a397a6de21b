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
    case order_type_code when 1 then 'LIMIT' when 2 then 'MARKET' when 3 then 'STOP' when 4 then 'STOP_LIMIT' when 5 then 'TRAILING_STOP' when 6 then 'PEGGED_PRIMARY' when 7 then 'PEGGED_MID' end as order_type,
    case time_in_force_code when 1 then 'DAY' when 2 then 'IOC' when 3 then 'FOK' when 4 then 'GTC' when 5 then 'GTD' when 6 then 'AT_OPEN' when 7 then 'AT_CLOSE' end as time_in_force,
    price_ticks,
    quantity_lots
from {{ source('lake_market', 'accepted_orders') }}
where sequence <= {{ watermark() }}
