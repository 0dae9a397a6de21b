-- Accounts in the words of the reserve formula: class, cash, what is owed on margin, and with whom each counts as
-- one customer. What an account owes in one currency is not set against what it is owed in another.
-- Source: 17 CFR 240.15c3-3a, Items 1 and 10, Notes E(4) and E(5).
with linked as (
    select
        links.account_id,
        arg_max(links.household_id, links.sequence) as household_id,
        arg_max(links.is_affiliate, links.sequence) as is_affiliate
    from {{ ref('stg_account_links') }} as links
    cross join {{ ref('int_as_of') }} as as_of
    where links.sequence <= as_of.as_of_sequence
    group by links.account_id
),

cash as (
    select
        account_id,
        coalesce(sum(credit_minor), 0) as credit_minor,
        coalesce(sum(debit_minor), 0) as debit_minor
    from {{ ref('int_reserve_cash') }}
    group by account_id
),

held as (
    select
        accounts.account_id,
        accounts.account_class,
        linked.household_id,
        coalesce(linked.is_affiliate, false) as is_affiliate,
        coalesce(cash.credit_minor, 0) as credit_minor,
        coalesce(cash.debit_minor, 0) as debit_minor,
        -- the formula gives a cash account one balance: beside a credit, a debit stands as one on margin
        accounts.account_class = 'CUSTOMER_CASH' and coalesce(cash.credit_minor, 0) = 0 as is_one_balance
    from {{ ref('stg_accounts') }} as accounts
    cross join {{ ref('int_as_of') }} as as_of
    left join linked on accounts.account_id = linked.account_id
    left join cash on accounts.account_id = cash.account_id
    where accounts.sequence <= as_of.as_of_sequence and accounts.account_class <> 'STREET'
)

select
    account_id::varchar as account_id,
    lower(account_class) as class,
    case when is_one_balance then -debit_minor else credit_minor end::bigint as cash_balance_minor,
    case when is_one_balance then 0 else debit_minor end::bigint as margin_debit_minor,
    nullif(household_id, 0)::varchar as household_id,
    is_affiliate
from held
