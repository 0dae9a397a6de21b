-- What we borrowed loan by loan is what the ledger owes each bank.
with loans as (
    select bank_id, money_asset_id as asset_id, sum(loan_units) as units
    from {{ ref('int_bank_loans_allocated') }}
    group by bank_id, money_asset_id
),

ledger as (
    select party_id as bank_id, asset_id, -trade_date_units as units
    from {{ ref('balances') }}
    where account_kind = 'BANK_LOAN'
)

select loans.units as loan_units, ledger.units as ledger_units
from loans
full outer join ledger on loans.bank_id = ledger.bank_id and loans.asset_id = ledger.asset_id
where coalesce(loans.units, 0) <> coalesce(ledger.units, 0)
