-- Items 1 and 10 against the ledger: the dollars owed to customers net are credits less secured and unsecured debits.
with ledger as (
    select sum(-balances.settlement_date_units) as owed_minor
    from {{ ref('balances') }} as balances
    inner join {{ ref('stg_accounts') }} as accounts on balances.party_id = accounts.account_id
    where
        balances.symbol = 'USD'
        and balances.account_kind in ('CLIENT', 'WITHDRAWAL_PAYABLE')
        and accounts.account_class in ('CUSTOMER_CASH', 'CUSTOMER_MARGIN')
),

formula as (
    select sum(credit_minor) - sum(debit_minor) as owed_minor
    from {{ ref('int_customer_cash') }}
    where currency = 'USD'
)

select ledger.owed_minor as ledger_minor, formula.owed_minor as formula_minor
from ledger
cross join formula
where coalesce(ledger.owed_minor, 0) <> coalesce(formula.owed_minor, 0)
