-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    fee_group_id,
    instrument_id,
    taker_ppm,
    maker_ppm
from {{ source('lake_market', 'set_fees') }}
where sequence <= {{ watermark() }}
