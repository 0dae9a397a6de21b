-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    fee_group_id,
    instrument_id,
    taker_ppm,
    maker_ppm
from {{ source('lake_market', 'fees') }}
where sequence <= {{ watermark() }}
