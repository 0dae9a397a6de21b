-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    account_id,
    instrument_id,
    position_lots,
    mark_ticks,
    variation_minor
from {{ source('lake_settlement', 'variations') }}
where sequence <= {{ watermark() }}
