-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    account_id,
    session_id,
    instrument_id,
    case side_code when 1 then 'BUY' when 2 then 'SELL' end as side,
    is_disconnect <> 0 as is_disconnect
from {{ source('lake_market', 'cancel_orders') }}
where sequence <= {{ watermark() }}
