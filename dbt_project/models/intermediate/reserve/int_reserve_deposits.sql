-- What lies in each special reserve account, by settlement date, and what bounds how much of it counts.
-- A security without a mark has no value here. Source: 17 CFR 240.15c3-3(e)(5).
with accounts as (
    select
        opened.bank_id,
        opened.is_affiliate,
        lower(opened.reserve_formula) as formula,
        case opened.reserve_formula when 'PAB' then 'PAB_RESERVE_BANK' else 'RESERVE_BANK' end as account_kind
    from {{ ref('stg_reserve_accounts') }} as opened
    cross join {{ ref('int_as_of') }} as as_of
    where opened.sequence <= as_of.as_of_sequence
),

equities as (
    select
        recorded.bank_id,
        arg_max(recorded.equity_minor, recorded.sequence) as bank_equity_minor
    from {{ ref('stg_bank_equities') }} as recorded
    cross join {{ ref('int_as_of') }} as as_of
    where recorded.sequence <= as_of.as_of_sequence
    group by recorded.bank_id
),

held as (
    select
        balances.account_kind,
        balances.party_id as bank_id,
        sum(balances.balance_units) filter (where assets.symbol = 'USD') as cash_minor,
        sum(balances.balance_units::hugeint * prices.price_minor // prices.per_units)
            filter (where assets.asset_class = 'SECURITY') as qualified_securities_minor
    from {{ ref('int_balances_settlement_date') }} as balances
    inner join {{ ref('stg_assets') }} as assets on balances.asset_id = assets.asset_id
    left join {{ ref('int_asset_prices') }} as prices on balances.asset_id = prices.asset_id
    where balances.account_kind in ('RESERVE_BANK', 'PAB_RESERVE_BANK')
    group by balances.account_kind, balances.party_id
)

select
    accounts.bank_id::varchar as bank,
    accounts.formula,
    coalesce(held.cash_minor, 0)::bigint as cash_minor,
    equities.bank_equity_minor,
    accounts.is_affiliate,
    coalesce(held.qualified_securities_minor, 0)::bigint as qualified_securities_minor
from accounts
left join held on accounts.account_kind = held.account_kind and accounts.bank_id = held.bank_id
left join equities on accounts.bank_id = equities.bank_id
