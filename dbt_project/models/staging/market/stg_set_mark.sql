-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    instrument_id,
    mark_ticks
from {{ source('lake_market', 'set_mark') }}
where sequence <= {{ watermark() }}
