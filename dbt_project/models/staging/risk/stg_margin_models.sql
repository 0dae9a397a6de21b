-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    initial_ppm,
    names_ppm,
    top_two_ppm,
    warn_ppm,
    cancel_ppm,
    target_ppm,
    retail_close_ppm,
    operator_id
from {{ source('lake_risk', 'margin_models') }}
where sequence <= {{ watermark() }}
