-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    account_count,
    instrument_count,
    asset_count,
    order_count,
    order_id_count,
    window_count
from {{ source('lake_market', 'engine_configurations') }}
where sequence <= {{ watermark() }}
