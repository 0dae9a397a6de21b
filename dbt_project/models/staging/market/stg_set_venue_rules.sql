-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    instrument_id,
    dynamic_bps,
    static_bps,
    first_from_ticks,
    first_step_ticks,
    second_from_ticks,
    second_step_ticks,
    third_from_ticks,
    third_step_ticks
from {{ source('lake_market', 'set_venue_rules') }}
where sequence <= {{ watermark() }}
