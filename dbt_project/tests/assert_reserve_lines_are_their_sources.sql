-- Each known item is the sum of its drill-down, and no source is left out.
with sources as (
    select
        formula,
        item_number,
        sum(amount_minor) as amount_minor
    from {{ ref('reserve_sources') }}
    group by formula, item_number
)

select
    coalesce(lines.formula, sources.formula) as formula,
    coalesce(lines.item_number, sources.item_number) as item_number,
    lines.amount_minor,
    sources.amount_minor as sourced_minor
from {{ ref('reserve_lines') }} as lines
full outer join sources on lines.formula = sources.formula and lines.item_number = sources.item_number
where
    coalesce(lines.item_number, 0) <> 16
    and coalesce(lines.amount_minor, 0) <> coalesce(sources.amount_minor, 0)
