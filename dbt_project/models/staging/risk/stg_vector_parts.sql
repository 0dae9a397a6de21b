-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    scenario_set_id,
    first_scenario_no,
    return_1_ppb,
    return_2_ppb,
    return_3_ppb,
    return_4_ppb,
    return_5_ppb,
    return_6_ppb,
    return_7_ppb,
    return_8_ppb,
    instrument_id
from {{ source('lake_risk', 'vector_parts') }}
where sequence <= {{ watermark() }}
