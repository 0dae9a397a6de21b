-- What each account owns, by trade date and by settlement date, and the contracts that it is party to.
with owned as (
    select
        trade.party_id as account_id,
        trade.asset_id,
        -trade.balance_units as trade_date_units,
        -coalesce(settled.balance_units, 0) as settlement_date_units
    from {{ ref('int_balances_trade_date') }} as trade
    left join {{ ref('int_balances_settlement_date') }} as settled
        on
            trade.account_kind = settled.account_kind
            and trade.party_id = settled.party_id
            and trade.asset_id = settled.asset_id
    where trade.account_kind = 'CLIENT'
),

held as (
    select
        owned.account_id,
        assets.asset_class as position_kind,
        0::bigint as instrument_id,
        owned.asset_id,
        assets.symbol,
        assets.isin,
        owned.trade_date_units,
        owned.settlement_date_units,
        assets.unit_digits,
        -- long and short alike are cut towards zero
        (owned.trade_date_units::hugeint * prices.price_minor // prices.per_units)::bigint as market_value_minor
    from owned
    inner join {{ ref('stg_assets') }} as assets on owned.asset_id = assets.asset_id
    left join {{ ref('int_asset_prices') }} as prices on owned.asset_id = prices.asset_id
    where assets.asset_class <> 'CURRENCY'
),

contracts as (
    select
        sides.account_id,
        'CONTRACT' as position_kind,
        sides.instrument_id,
        instruments.base_asset_id as asset_id,
        instruments.symbol,
        '' as isin,
        sum(sides.gained_units)::decimal(38, 0) as trade_date_units,
        sum(sides.gained_units)::decimal(38, 0) as settlement_date_units,
        instruments.base_digits as unit_digits,
        (sum(sides.gained_lots) * instruments.mark_ticks * instruments.tick_value_minor)::bigint as market_value_minor
    from {{ ref('int_fill_sides') }} as sides
    inner join {{ ref('int_instruments') }} as instruments on sides.instrument_id = instruments.instrument_id
    where sides.is_contract
    group by
        sides.account_id,
        sides.instrument_id,
        instruments.base_asset_id,
        instruments.symbol,
        instruments.base_digits,
        instruments.mark_ticks,
        instruments.tick_value_minor
),

positions as (
    select * from held
    union all
    select * from contracts
)

select
    positions.account_id,
    accounts.account_class,
    positions.position_kind,
    positions.instrument_id,
    positions.asset_id,
    positions.symbol,
    positions.isin,
    positions.trade_date_units,
    positions.settlement_date_units,
    {{ as_decimal('positions.trade_date_units', 'positions.unit_digits') }} as trade_date_quantity,
    positions.market_value_minor
from positions
inner join {{ ref('stg_accounts') }} as accounts on positions.account_id = accounts.account_id
where positions.trade_date_units <> 0 or positions.settlement_date_units <> 0
