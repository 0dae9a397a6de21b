-- Securities of which less is in possession or control than customers' fully paid and excess margin securities need,
-- what to do about it and by when. Source: 17 CFR 240.15c3-3(d).
with rows as (
    select unnest(control) as told
    from {{ ref('int_reserve_computed') }}
    where formula = 'customer'
)

select
    told.issue as issue,
    told.required_units as required_units,
    told.in_control_units as in_control_units,
    told.deficit_units as deficit_units,
    told.location as location,
    told.quantity as quantity,
    told.act as act,
    told.source as source,
    told.instruct_by as instruct_by,
    told.possession_by as possession_by
from rows
