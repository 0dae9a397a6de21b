-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    fill_id,
    instrument_id,
    case taker_side_code when 1 then 'BUY' when 2 then 'SELL' end as taker_side,
    price_ticks,
    quantity_lots,
    notional_minor,
    taker_fee_minor,
    maker_fee_minor,
    is_auction = 1 as is_auction,
    taker_order_id,
    taker_account_id,
    maker_order_id,
    maker_account_id,
    date '1970-01-01' + trade_epoch_day::integer as trade_date,
    date '1970-01-01' + settlement_epoch_day::integer as settlement_date
from {{ source('lake_market', 'fills') }}
where sequence <= {{ watermark() }}
