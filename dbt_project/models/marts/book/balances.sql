select
    trade.account_kind,
    trade.party_id,
    trade.asset_id,
    assets.symbol,
    assets.asset_class,
    trade.balance_units as trade_date_units,
    coalesce(settled.balance_units, 0)::decimal(38, 0) as settlement_date_units,
    {{ as_decimal('trade.balance_units', 'assets.unit_digits') }} as trade_date_amount,
    {{ as_decimal('coalesce(settled.balance_units, 0)', 'assets.unit_digits') }} as settlement_date_amount
from {{ ref('int_balances_trade_date') }} as trade
inner join {{ ref('stg_assets') }} as assets on trade.asset_id = assets.asset_id
left join {{ ref('int_balances_settlement_date') }} as settled
    on
        trade.account_kind = settled.account_kind
        and trade.party_id = settled.party_id
        and trade.asset_id = settled.asset_id
