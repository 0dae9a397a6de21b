-- Everything that was compared, in the order in which a trade passes the stages.
with stages as (
    {% for stage in ['execution', 'settlement', 'cash', 'custody'] %}
    select stage, reference, place, measure, our_value, their_value, state, cause, opened_date
    from {{ ref('int_' ~ stage ~ '_compared') }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    stages.stage || '|' || stages.place || '|' || stages.reference as match_key,
    stages.stage,
    stages.reference,
    stages.place,
    stages.measure,
    stages.our_value,
    stages.their_value,
    (stages.our_value - stages.their_value)::decimal(38, 0) as difference,
    stages.state,
    stages.cause,
    stages.opened_date,
    greatest(date_diff('day', stages.opened_date, as_of.as_of_date), 0) as age_days,
    (
        select count(*)
        from {{ ref('stg_business_days') }} as days
        where days.business_date > stages.opened_date and days.business_date <= as_of.as_of_date
    ) as age_business_days
from stages
cross join {{ ref('int_as_of') }} as as_of
