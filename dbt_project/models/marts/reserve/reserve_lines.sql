-- Exhibit A as it is filed: items 1 to 15, and item 16 which follows from them.
select
    as_of_date,
    item_number,
    side,
    name,
    focus_box,
    amount_minor,
    source_count,
    note
from {{ ref('int_reserve_lines') }}
union all
select
    as_of_date,
    16::bigint as item_number,
    'RESULT' as side,
    'Excess of total credits over total debits required to be on deposit' as name,
    '4490' as focus_box,
    requirement_minor as amount_minor,
    15::bigint as source_count,
    'Credits less debits after the reduction of ' || citation || '; zero when debits exceed' as note
from {{ ref('reserve_requirement') }}
