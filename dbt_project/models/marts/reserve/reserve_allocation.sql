-- Who is owed and where it is, unit by unit: every claim of an issue paired with a location, and what that gives.
with rows as (
    select
        formula,
        unnest(allocation) as told
    from {{ ref('int_reserve_computed') }}
)

select
    told.issue as issue,
    told.pair_number as pair_number,
    told.claim as claim,
    told.location as location,
    told.is_over_age as is_over_age,
    told.quantity as quantity,
    case when told.item_number is not null then formula end as formula,
    told.item_number as item_number,
    told.amount_minor as amount_minor,
    told.basis as basis
from rows
