-- Items 1 to 15 of Exhibit A. An item without sources is zero because nothing of its kind is on the book.
with amounts as (
    select
        item_number,
        sum(amount_minor)::bigint as amount_minor,
        count(*) as source_count
    from {{ ref('int_reserve_sources') }}
    group by item_number
)

select
    as_of.as_of_date,
    items.item_number::bigint as item_number,
    items.side,
    items.name,
    items.focus_box::varchar as focus_box,
    items.note,
    coalesce(amounts.amount_minor, 0)::bigint as amount_minor,
    coalesce(amounts.source_count, 0) as source_count
from {{ ref('reserve_items') }} as items
cross join {{ ref('int_as_of') }} as as_of
left join amounts on items.item_number = amounts.item_number
