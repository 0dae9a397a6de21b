-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    instrument_id,
    mark_ticks
from {{ source('lake_market', 'marks') }}
where sequence <= {{ watermark() }}
