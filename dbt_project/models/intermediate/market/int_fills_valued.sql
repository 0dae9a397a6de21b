with known as (
    select fills.*
    from {{ ref('stg_fills') }} as fills
    cross join {{ ref('int_as_of') }} as as_of
    where fills.sequence <= as_of.as_of_sequence
)

select
    known.fill_id,
    known.occurred_at,
    known.instrument_id,
    instruments.symbol,
    instruments.instrument_class,
    instruments.is_contract,
    known.taker_side,
    known.price_ticks,
    {{ price_of('known.price_ticks', 'instruments') }} as price,
    known.quantity_lots,
    (known.quantity_lots * instruments.lot_units)::bigint as quantity_units,
    {{ as_decimal("known.quantity_lots * instruments.lot_units", "instruments.base_digits") }} as quantity,
    known.notional_minor,
    {{ as_decimal("known.notional_minor", "instruments.currency_digits") }} as notional,
    instruments.currency,
    known.taker_fee_minor,
    known.maker_fee_minor,
    known.is_auction,
    known.taker_order_id,
    known.taker_account_id,
    known.maker_order_id,
    known.maker_account_id,
    known.trade_date,
    known.settlement_date
from known
inner join {{ ref('int_instruments') }} as instruments on known.instrument_id = instruments.instrument_id
