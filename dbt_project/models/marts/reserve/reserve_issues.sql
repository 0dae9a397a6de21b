-- The stock record of each security as the formula takes it: owed, located, allocated. Source: 17 CFR 240.17a-3(a)(5).
with sides as (
    select
        issue,
        quantity as claimed_units,
        0 as located_units,
        0 as allocated_units
    from {{ ref('int_reserve_claims') }}
    union all
    select
        issue,
        0 as claimed_units,
        quantity as located_units,
        0 as allocated_units
    from {{ ref('int_reserve_locations') }}
    union all
    select
        issue,
        0 as claimed_units,
        0 as located_units,
        quantity as allocated_units
    from {{ ref('reserve_allocation') }}
)

select
    sides.issue,
    sum(sides.claimed_units)::bigint as claimed_units,
    sum(sides.located_units)::bigint as located_units,
    sum(sides.allocated_units)::bigint as allocated_units,
    max(prices.price)::decimal(18, 8) as price
from sides
left join {{ ref('int_reserve_prices') }} as prices on sides.issue = prices.issue
group by sides.issue
