-- The drill-down of Exhibit A: what each row of the book gives to an item. A note that changes one is a row too.
with rows as (
    select
        formula,
        unnest(sources) as told
    from {{ ref('int_reserve_computed') }}
)

select
    formula,
    told.item_number as item_number,
    told.source as source,
    told.amount_minor as amount_minor
from rows
