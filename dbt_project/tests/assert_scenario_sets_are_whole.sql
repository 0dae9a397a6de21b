-- A set that is in force has the scenarios that it was activated with, numbered without a gap.
with found as (
    select
        scenario_set_id,
        count(*) as scenario_count,
        max(scenario_no) as last_no
    from {{ ref('int_scenarios_activated') }}
    group by scenario_set_id
)

select sets.scenario_set_id
from {{ ref('stg_scenario_sets') }} as sets
cross join {{ ref('int_as_of') }} as as_of
left join found on sets.scenario_set_id = found.scenario_set_id
where
    sets.sequence <= as_of.as_of_sequence
    and (
        found.scenario_count is distinct from sets.scenario_count
        or found.last_no is distinct from sets.scenario_count
    )
