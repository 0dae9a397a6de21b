-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    is_modelled = 1 as is_modelled,
    first_factor_id,
    first_beta_ppm,
    second_factor_id,
    second_beta_ppm,
    basis_factor_id,
    peg_factor_id,
    half_spread_ppm,
    impact_ppm,
    daily_lots,
    carry_ppm,
    basis_ppm,
    retail_cap_ppm,
    haircut_ppm,
    second_from_lots,
    second_haircut_ppm,
    third_from_lots,
    third_haircut_ppm,
    is_single_name = 1 as is_single_name,
    instrument_id
from {{ source('lake_risk', 'instrument_risks') }}
where sequence <= {{ watermark() }}
