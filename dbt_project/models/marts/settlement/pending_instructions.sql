-- The obligations of the day's trades, with what an instruction to the clearing house needs.
select
    obligations.obligation_id,
    obligations.obligation_reference,
    obligations.account_id,
    obligations.obligation_side,
    obligations.asset_id,
    obligations.asset_class,
    obligations.isin,
    coalesce(assets.symbol, obligations.symbol) as symbol,
    obligations.obligation_units,
    {{ as_decimal('obligations.obligation_units', 'obligations.asset_digits') }} as quantity,
    obligations.asset_digits,
    obligations.currency,
    obligations.obligation_minor,
    {{ as_decimal('obligations.obligation_minor', 'obligations.currency_digits') }} as amount,
    obligations.trade_date,
    obligations.settlement_date
from {{ ref('int_obligations_current') }} as obligations
inner join {{ ref('int_as_of') }} as as_of on obligations.trade_date = as_of.as_of_date
left join {{ ref('stg_assets') }} as assets on obligations.asset_id = assets.asset_id
