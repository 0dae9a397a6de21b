-- The tables that both formulas were computed from, as the files of docs/reserve.md, with their digests: whoever has
-- them can compute again. The same rows in any order are the same file.
with rows as (
    select unnest(inputs) as told
    from {{ ref('int_reserve_computed') }}
    where formula = 'customer'
)

select
    told.table_name as table_name,
    told.sha256 as sha256,
    told.content as content
from rows
