-- What is on deposit in the special reserve bank account, in US cents. Always one row a day.
select
    as_of.as_of_date,
    coalesce(sum(balances.balance_units) filter (assets.symbol = 'USD'), 0)::bigint as deposit_minor
from {{ ref('int_as_of') }} as as_of
left join {{ ref('int_balances_settlement_date') }} as balances on balances.account_kind = 'RESERVE_BANK'
left join {{ ref('stg_assets') }} as assets on balances.asset_id = assets.asset_id
group by as_of.as_of_date
