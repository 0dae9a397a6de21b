-- What lies in each special reserve bank account, in US cents. Only dollars count.
-- Source: 17 CFR 240.15c3-3(e)(1), (e)(5).
with accounts as (
    select
        opened.bank_id,
        opened.reserve_formula,
        arg_max(opened.is_affiliate, opened.sequence) as is_affiliate
    from {{ ref('stg_reserve_accounts') }} as opened
    cross join {{ ref('int_as_of') }} as as_of
    where opened.sequence <= as_of.as_of_sequence
    group by opened.bank_id, opened.reserve_formula
),

balances as (
    select
        held.party_id as bank_id,
        case held.account_kind when 'RESERVE_BANK' then 'CUSTOMER' else 'PAB' end as reserve_formula,
        held.balance_units
    from {{ ref('int_balances_settlement_date') }} as held
    inner join {{ ref('stg_assets') }} as assets on held.asset_id = assets.asset_id and assets.symbol = 'USD'
    where held.account_kind in ('RESERVE_BANK', 'PAB_RESERVE_BANK')
)

select
    coalesce(accounts.bank_id, balances.bank_id)::varchar as bank,
    lower(coalesce(accounts.reserve_formula, balances.reserve_formula)) as formula,
    coalesce(balances.balance_units, 0)::bigint as cash_minor,
    {{ var('reserve_bank_equity_minor') }}::bigint as bank_equity_minor,
    coalesce(accounts.is_affiliate, false) as is_affiliate,
    0::bigint as qualified_securities_minor
from accounts
full outer join balances
    on accounts.bank_id = balances.bank_id and accounts.reserve_formula = balances.reserve_formula
