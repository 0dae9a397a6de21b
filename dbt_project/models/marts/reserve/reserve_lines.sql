-- Exhibit A, item by item. An item that is not known has no amount. Source: 17 CFR 240.15c3-3a.
with rows as (
    select
        as_of_date,
        formula,
        unnest(lines) as told
    from {{ ref('int_reserve_computed') }}
),

counts as (
    select
        formula,
        item_number,
        count(*) as source_count
    from {{ ref('reserve_sources') }}
    group by formula, item_number
)

select
    rows.as_of_date,
    rows.formula,
    rows.told.item_number as item_number,
    rows.told.side as side,
    rows.told.name as name,
    rows.told.focus_box as focus_box,
    rows.told.amount_minor as amount_minor,
    coalesce(counts.source_count, 0) as source_count
from rows
left join counts on rows.formula = counts.formula and rows.told.item_number = counts.item_number
