select
    item_number,
    source,
    amount_minor
from {{ ref('int_reserve_sources') }}
