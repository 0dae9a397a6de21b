-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    session_id,
    account_id,
    client_order_id,
    instrument_id,
    case side_code when 1 then 'BUY' when 2 then 'SELL' end as side,
    case order_type_code when 1 then 'LIMIT' when 2 then 'MARKET' when 3 then 'STOP' when 4 then 'STOP_LIMIT' when 5 then 'TRAILING_STOP' when 6 then 'PEGGED_PRIMARY' when 7 then 'PEGGED_MID' end as order_type,
    case time_in_force_code when 1 then 'DAY' when 2 then 'IOC' when 3 then 'FOK' when 4 then 'GTC' when 5 then 'GTD' when 6 then 'AT_OPEN' when 7 then 'AT_CLOSE' end as time_in_force,
    price_ticks,
    quantity_lots,
    case post_only_code when 0 then 'NONE' when 1 then 'REJECT' when 2 then 'REPRICE' end as post_only,
    case self_trade_code when 0 then 'NONE' when 1 then 'CANCEL_RESTING' when 2 then 'CANCEL_AGGRESSING' when 3 then 'CANCEL_BOTH' when 4 then 'DECREMENT' end as self_trade,
    is_reduce_only <> 0 as is_reduce_only,
    display_lots,
    minimum_lots,
    stop_ticks,
    trail_ticks,
    offset_ticks,
    case when expires_at_ns between 1 and 9223372036854775806 then make_timestamp_ns(expires_at_ns) end as expires_at,
    linked_client_order_id,
    case order_link_code when 0 then 'NONE' when 1 then 'OCO' when 2 then 'AWAIT' when 3 then 'ENTRY' end as order_link
from {{ source('lake_market', 'place_order') }}
where sequence <= {{ watermark() }}
