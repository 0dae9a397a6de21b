with known as (
    select marks.*
    from {{ ref('stg_marks') }} as marks
    cross join {{ ref('int_as_of') }} as as_of
    where marks.sequence <= as_of.as_of_sequence
)

select
    instrument_id,
    arg_max(mark_ticks, sequence) as mark_ticks
from known
group by instrument_id
