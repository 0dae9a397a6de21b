-- Payments that our bank is to make: approved withdrawals that are not paid, and the day's reserve orders.
with withdrawals as (
    select
        'WD' || approved.payment_id as payment_reference,
        approved.payment_id,
        'WITHDRAWAL' as payment_kind,
        approved.account_id,
        approved.asset_id,
        approved.amount_units as amount_minor,
        approved.occurred_at as ordered_at
    from {{ ref('stg_withdrawals') }} as approved
    cross join {{ ref('int_as_of') }} as as_of
    left join {{ ref('stg_withdrawal_payments') }} as paid
        on approved.payment_id = paid.payment_id and paid.sequence <= as_of.as_of_sequence
    where approved.sequence <= as_of.as_of_sequence and paid.payment_id is null
),

reserve as (
    select
        'RD' || ordered.payment_id as payment_reference,
        ordered.payment_id,
        case when ordered.deposit_minor > 0 then 'RESERVE_DEPOSIT' else 'RESERVE_WITHDRAWAL' end as payment_kind,
        0::bigint as account_id,
        ordered.asset_id,
        ordered.deposit_minor + ordered.withdrawal_minor as amount_minor,
        ordered.occurred_at as ordered_at
    from {{ ref('stg_reserve_deposits') }} as ordered
    cross join {{ ref('int_as_of') }} as as_of
    inner join {{ ref('stg_business_days') }} as days on as_of.as_of_date = days.business_date
    where ordered.sequence <= as_of.as_of_sequence and ordered.sequence > days.sequence
),

payments as (
    select * from withdrawals
    union all
    select * from reserve
)

select
    payments.payment_reference,
    payments.payment_id,
    payments.payment_kind,
    payments.account_id,
    assets.symbol as currency,
    payments.amount_minor,
    {{ as_decimal('payments.amount_minor', 'assets.unit_digits') }} as amount,
    payments.ordered_at
from payments
inner join {{ ref('stg_assets') }} as assets on payments.asset_id = assets.asset_id
