-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    initial_ppm,
    names_ppm,
    top_two_ppm,
    warn_ppm,
    cancel_ppm,
    target_ppm,
    retail_close_ppm,
    operator_id
from {{ source('lake_risk', 'set_margin_model') }}
where sequence <= {{ watermark() }}
