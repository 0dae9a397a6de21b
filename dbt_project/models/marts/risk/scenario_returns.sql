-- How far each factor moves in each scenario of every set that was ever in force; what stays where it is has no row.
with latest as (
    select
        scenarios.scenario_set_id,
        scenarios.scenario_no,
        returns.factor_id,
        arg_max(returns.return_ppb, returns.sequence) as return_ppb
    from {{ ref('int_scenarios_activated') }} as scenarios
    inner join {{ ref('stg_factor_returns') }} as returns
        on
            scenarios.scenario_set_id = returns.scenario_set_id
            and scenarios.scenario_no = returns.scenario_no
            and returns.sequence between scenarios.begun_sequence and scenarios.activated_sequence
    group by all
)

select
    latest.scenario_set_id,
    latest.scenario_no,
    scenarios.scenario_name,
    scenarios.scenario_group,
    scenarios.damping_ppm,
    latest.factor_id,
    factors.symbol as factor,
    latest.return_ppb,
    {{ as_decimal('latest.return_ppb', '9') }} as factor_return
from latest
inner join {{ ref('int_scenarios_activated') }} as scenarios
    on
        latest.scenario_set_id = scenarios.scenario_set_id
        and latest.scenario_no = scenarios.scenario_no
inner join {{ ref('stg_risk_factors') }} as factors on latest.factor_id = factors.factor_id
