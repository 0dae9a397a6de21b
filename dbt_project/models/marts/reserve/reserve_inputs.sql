-- The digest of each table that was computed from; the same rows in any order have the same.
with rows as (
    select
        formula,
        unnest(inputs) as told
    from {{ ref('int_reserve_computed') }}
)

select
    formula,
    told.table_name as table_name,
    told.sha256 as sha256
from rows
