-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    scenario_set_id,
    scenario_count,
    reference_minor,
    delta_ppm,
    instrument_id
from {{ source('lake_risk', 'instrument_vectors') }}
where sequence <= {{ watermark() }}
