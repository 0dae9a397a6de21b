-- Items 1 and 10 against the ledger: the dollars owed to the accounts of a formula net are credits and drafts less debits.
with ledger as (
    select sum(-balances.settlement_date_units) as owed_minor
    from {{ ref('balances') }} as balances
    inner join {{ ref('stg_accounts') }} as accounts on balances.party_id = accounts.account_id
    where
        balances.symbol = 'USD'
        and balances.account_kind in ('CLIENT', 'WITHDRAWAL_PAYABLE')
        and accounts.account_class in ('CUSTOMER_CASH', 'CUSTOMER_MARGIN', 'PAB')
),

formula as (
    select
        (select sum(credit_minor) - sum(debit_minor) from {{ ref('int_reserve_cash') }} where currency = 'USD')
        + coalesce(
            (
                select sum(drafts.draft_units)
                from {{ ref('int_drafts_outstanding') }} as drafts
                inner join {{ ref('stg_accounts') }} as accounts on drafts.account_id = accounts.account_id
                inner join {{ ref('stg_assets') }} as assets on drafts.asset_id = assets.asset_id
                where
                    assets.symbol = 'USD'
                    and accounts.account_class in ('CUSTOMER_CASH', 'CUSTOMER_MARGIN', 'PAB')
            ),
            0
        ) as owed_minor
)

select ledger.owed_minor as ledger_minor, formula.owed_minor as formula_minor
from ledger
cross join formula
where coalesce(ledger.owed_minor, 0) <> coalesce(formula.owed_minor, 0)
