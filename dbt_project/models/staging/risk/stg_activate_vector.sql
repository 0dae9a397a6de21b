-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    scenario_set_id,
    scenario_count,
    reference_minor,
    delta_ppm,
    instrument_id
from {{ source('lake_risk', 'activate_vector') }}
where sequence <= {{ watermark() }}
