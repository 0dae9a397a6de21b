-- Whose securities secure each bank loan. Customers' margin securities are taken first, then those of
-- other owners, and customers' fully paid securities last. Source: 17 CFR 240.15c3-3a, item 2.
with repaid as (
    select
        repayments.item_id,
        sum(repayments.repaid_units) as repaid_units,
        sum(repayments.released_units) as released_units
    from {{ ref('stg_bank_loan_repayments') }} as repayments
    cross join {{ ref('int_as_of') }} as as_of
    where repayments.sequence <= as_of.as_of_sequence
    group by repayments.item_id
),

-- what is still owed and pledged; a loan that was paid back is none
loans as (
    select
        taken.sequence,
        taken.bank_id,
        taken.money_asset_id,
        (taken.loan_units - coalesce(repaid.repaid_units, 0))::bigint as loan_units,
        taken.pledged_asset_id,
        (taken.pledged_units - coalesce(repaid.released_units, 0))::bigint as pledged_units
    from {{ ref('stg_bank_loans') }} as taken
    cross join {{ ref('int_as_of') }} as as_of
    left join repaid on taken.sequence = repaid.item_id
    where taken.sequence <= as_of.as_of_sequence and taken.loan_units > coalesce(repaid.repaid_units, 0)
),

owners as (
    select
        balances.asset_id,
        sum(-balances.balance_units) filter (accounts.account_class = 'CUSTOMER_MARGIN') as margin_units,
        sum(-balances.balance_units) filter (accounts.account_class not like 'CUSTOMER%') as other_units,
        sum(-balances.balance_units) filter (accounts.account_class = 'CUSTOMER_CASH') as cash_units
    from {{ ref('int_balances_settlement_date') }} as balances
    inner join {{ ref('stg_accounts') }} as accounts on balances.party_id = accounts.account_id
    where balances.account_kind = 'CLIENT' and balances.balance_units < 0
    group by balances.asset_id
),

pledges as (
    select
        loans.*,
        sum(loans.pledged_units) over (partition by loans.pledged_asset_id) as all_pledged_units,
        coalesce(owners.margin_units, 0) as margin_units,
        coalesce(owners.other_units, 0) as other_units,
        coalesce(owners.cash_units, 0) as cash_units
    from loans
    left join owners on loans.pledged_asset_id = owners.asset_id
),

customers as (
    select
        *,
        least(all_pledged_units, margin_units)
        + least(greatest(all_pledged_units - margin_units - other_units, 0), cash_units) as customer_units
    from pledges
)

select
    sequence as loan_sequence,
    bank_id,
    money_asset_id,
    loan_units,
    pledged_asset_id,
    pledged_units,
    -- the part secured by customers, rounded up to a minor unit
    {{ ceiling_of('loan_units::hugeint * customer_units::hugeint', 'all_pledged_units::hugeint') }}::bigint
        as customer_loan_units
from customers
