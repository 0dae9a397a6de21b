-- Every unit that somebody is owed is somewhere, issue by issue. Source: 17 CFR 240.17a-3(a)(5).
with claims as (
    select issue, sum(quantity) as units
    from {{ ref('int_reserve_claims') }}
    group by issue
),

locations as (
    select issue, sum(quantity) as units
    from {{ ref('int_reserve_locations') }}
    group by issue
)

select
    coalesce(claims.issue, locations.issue) as issue,
    claims.units as claimed_units,
    locations.units as located_units
from claims
full outer join locations on claims.issue = locations.issue
where coalesce(claims.units, 0) <> coalesce(locations.units, 0)
