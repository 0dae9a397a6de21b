-- What must be on deposit for the exclusive benefit of customers. Source: 17 CFR 240.15c3-3(e) and 3a, item 16.
-- Integers throughout; the reduction is rounded down to a minor unit, which never lowers the requirement.
with totals as (
    select
        as_of_date,
        coalesce(sum(amount_minor) filter (side = 'CREDIT'), 0) as credits_minor,
        coalesce(sum(amount_minor) filter (side = 'DEBIT'), 0) as debits_minor,
        coalesce(sum(amount_minor) filter (item_number = 10), 0) as item_10_minor
    from {{ ref('int_reserve_lines') }}
    where item_number between 1 and 15
    group by as_of_date
),

reduced as (
    select
        totals.as_of_date,
        rates.method,
        rates.frequency,
        rates.rate_bps,
        rates.citation,
        totals.credits_minor,
        totals.debits_minor,
        case rates.debit_items when 'ALL' then totals.debits_minor else totals.item_10_minor end
        * rates.rate_bps // 10000 as reduction_minor
    from totals
    inner join {{ ref('reserve_rates') }} as rates
        on rates.method = '{{ var("reserve_method") }}' and rates.frequency = '{{ var("reserve_frequency") }}'
),

required as (
    select
        *,
        debits_minor - reduction_minor as reduced_debits_minor,
        greatest(credits_minor - (debits_minor - reduction_minor), 0) as requirement_minor,
        greatest(debits_minor - reduction_minor - credits_minor, 0) as excess_debits_minor
    from reduced
)

select
    required.as_of_date,
    'USD' as currency,
    required.method,
    required.frequency,
    required.rate_bps::bigint as rate_bps,
    required.citation,
    required.credits_minor::bigint as credits_minor,
    required.debits_minor::bigint as debits_minor,
    required.reduction_minor::bigint as reduction_minor,
    required.reduced_debits_minor::bigint as reduced_debits_minor,
    required.requirement_minor::bigint as requirement_minor,
    required.excess_debits_minor::bigint as excess_debits_minor,
    held.deposit_minor,
    (required.requirement_minor - held.deposit_minor)::bigint as order_minor,
    as_of.second_date as deposit_date
from required
inner join {{ ref('int_reserve_deposit_held') }} as held on required.as_of_date = held.as_of_date
inner join {{ ref('int_as_of') }} as as_of on required.as_of_date = as_of.as_of_date
