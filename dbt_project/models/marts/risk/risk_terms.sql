-- What each listing's price has to do with the factors, and what its margin asks beyond them, as of the day.
select
    risks.instrument_id,
    instruments.symbol,
    instruments.instrument_class,
    risks.is_modelled,
    listed.margin_bps,
    first_factors.symbol as first_factor,
    risks.first_beta_ppm,
    second_factors.symbol as second_factor,
    risks.second_beta_ppm,
    basis_factors.symbol as basis_factor,
    peg_factors.symbol as peg_factor,
    risks.half_spread_ppm,
    risks.impact_ppm,
    risks.daily_lots,
    risks.carry_ppm,
    risks.basis_ppm,
    risks.retail_cap_ppm,
    risks.haircut_ppm,
    risks.second_from_lots,
    risks.second_haircut_ppm,
    risks.third_from_lots,
    risks.third_haircut_ppm,
    risks.is_single_name,
    risks.sequence,
    risks.occurred_at as set_at
from {{ ref('int_instrument_risks_current') }} as risks
inner join {{ ref('int_instruments') }} as instruments on risks.instrument_id = instruments.instrument_id
inner join {{ ref('stg_instruments') }} as listed on risks.instrument_id = listed.instrument_id
left join {{ ref('stg_risk_factors') }} as first_factors on risks.first_factor_id = first_factors.factor_id
left join {{ ref('stg_risk_factors') }} as second_factors on risks.second_factor_id = second_factors.factor_id
left join {{ ref('stg_risk_factors') }} as basis_factors on risks.basis_factor_id = basis_factors.factor_id
left join {{ ref('stg_risk_factors') }} as peg_factors on risks.peg_factor_id = peg_factors.factor_id
