-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    account_count,
    instrument_count,
    asset_count,
    order_count,
    order_id_count,
    window_count
from {{ source('lake_market', 'configure_engine') }}
where sequence <= {{ watermark() }}
