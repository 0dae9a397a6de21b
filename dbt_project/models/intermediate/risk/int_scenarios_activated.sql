-- The scenarios of every set that was ever in force, as they were when it was activated. A set whose preparation was
-- dropped for another one is prepared again from its first scenario: what was added before that does not count.
with activated as (
    select sets.*
    from {{ ref('stg_scenario_sets') }} as sets
    cross join {{ ref('int_as_of') }} as as_of
    where sets.sequence <= as_of.as_of_sequence
),

begun as (
    select
        activated.scenario_set_id,
        activated.sequence as activated_sequence,
        activated.occurred_at as activated_at,
        activated.historical_tail_count,
        activated.stress_tail_count,
        max(scenarios.sequence) as begun_sequence
    from activated
    inner join {{ ref('stg_scenarios') }} as scenarios
        on
            activated.scenario_set_id = scenarios.scenario_set_id
            and activated.sequence > scenarios.sequence
    where scenarios.scenario_no = 1
    group by all
)

select
    begun.scenario_set_id,
    begun.activated_sequence,
    begun.activated_at,
    begun.begun_sequence,
    begun.historical_tail_count,
    begun.stress_tail_count,
    scenarios.scenario_no,
    scenarios.scenario_group,
    scenarios.name as scenario_name,
    scenarios.damping_ppm
from begun
inner join {{ ref('stg_scenarios') }} as scenarios
    on
        begun.scenario_set_id = scenarios.scenario_set_id
        and scenarios.sequence between begun.begun_sequence and begun.activated_sequence
