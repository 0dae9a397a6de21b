-- Two rows a fill, less the sides that clear elsewhere: what an account's position and money gain by it.
with sides as (
    select
        fill_id,
        taker_order_id as order_id,
        taker_account_id as account_id,
        instrument_id,
        is_contract,
        trade_date,
        case when is_auction then 'AUCTION' else 'TAKER' end as liquidity,
        case taker_side when 'BUY' then 1 else -1 end as sign,
        quantity_lots,
        quantity_units,
        notional_minor,
        taker_fee_minor as fee_minor
    from {{ ref('int_fills_valued') }}
    union all
    select
        fill_id,
        maker_order_id as order_id,
        maker_account_id as account_id,
        instrument_id,
        is_contract,
        trade_date,
        case when is_auction then 'AUCTION' else 'MAKER' end as liquidity,
        case taker_side when 'BUY' then -1 else 1 end as sign,
        quantity_lots,
        quantity_units,
        notional_minor,
        maker_fee_minor as fee_minor
    from {{ ref('int_fills_valued') }}
)

select
    sides.fill_id,
    sides.order_id,
    sides.account_id,
    sides.instrument_id,
    sides.is_contract,
    sides.trade_date,
    sides.liquidity,
    case sides.sign when 1 then 'BUY' else 'SELL' end as side,
    (sides.sign * sides.quantity_lots)::bigint as gained_lots,
    (sides.sign * sides.quantity_units)::bigint as gained_units,
    (-sides.sign * sides.notional_minor)::bigint as gained_minor,
    sides.fee_minor
from sides
inner join {{ ref('stg_accounts') }} as accounts on sides.account_id = accounts.account_id
where accounts.account_class <> 'STREET'
