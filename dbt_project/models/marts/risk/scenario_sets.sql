-- The set by which accounts were margined at the end of each business day; no row before the first was activated.
with days as (
    select
        days.business_date,
        coalesce(lead(days.sequence) over (order by days.sequence) - 1, as_of.as_of_sequence) as last_sequence
    from {{ ref('stg_business_days') }} as days
    cross join {{ ref('int_as_of') }} as as_of
    where days.business_date <= as_of.as_of_date
),

counted as (
    select
        scenario_set_id,
        activated_sequence,
        activated_at,
        historical_tail_count,
        stress_tail_count,
        count(*) as scenario_count,
        count(*) filter (where scenario_group = 'HISTORICAL') as historical_count,
        count(*) filter (where scenario_group = 'STRESS') as stress_count,
        count(*) filter (where scenario_group = 'EXTREME') as extreme_count
    from {{ ref('int_scenarios_activated') }}
    group by all
)

select
    days.business_date,
    counted.scenario_set_id,
    counted.scenario_count,
    counted.historical_count,
    counted.historical_tail_count,
    counted.stress_count,
    counted.stress_tail_count,
    counted.extreme_count,
    counted.activated_sequence,
    counted.activated_at
from days
asof inner join counted on days.last_sequence >= counted.activated_sequence
