-- Who owns each security and token, and where it is. Source: 17 CFR 240.17a-3(a)(5).
with kinds as (
    select distinct
        account_kind,
        is_owner_side
    from {{ ref('int_ledger_entries') }}
)

select
    balances.asset_id,
    balances.symbol,
    assets.isin,
    case when kinds.is_owner_side then 'OWNER' else 'LOCATION' end as side,
    balances.account_kind,
    balances.party_id,
    balances.trade_date_units,
    balances.settlement_date_units
from {{ ref('balances') }} as balances
inner join {{ ref('stg_assets') }} as assets on balances.asset_id = assets.asset_id
inner join kinds on balances.account_kind = kinds.account_kind
where balances.asset_class in ('SECURITY', 'TOKEN')
