-- What a note of Exhibit A changed, by how much and why.
with rows as (
    select
        formula,
        unnest(notes) as told
    from {{ ref('int_reserve_computed') }}
)

select
    formula,
    told.note_number as note_number,
    told.note as note,
    told.item_number as item_number,
    told.amount_minor as amount_minor,
    told.basis as basis
from rows
