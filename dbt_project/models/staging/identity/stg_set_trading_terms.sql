-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    fee_group_id,
    group_id,
    case self_trade_code when 0 then 'NONE' when 1 then 'CANCEL_RESTING' when 2 then 'CANCEL_AGGRESSING' when 3 then 'CANCEL_BOTH' when 4 then 'DECREMENT' end as self_trade,
    account_id
from {{ source('lake_identity', 'set_trading_terms') }}
where sequence <= {{ watermark() }}
