-- What is not known, and whether that holds the filing: what is not known is not zero.
with rows as (
    select
        formula,
        unnest(gaps) as told
    from {{ ref('int_reserve_computed') }}
)

select
    formula,
    told.subject as subject,
    told.reason as reason,
    told.is_holding as is_holding
from rows
