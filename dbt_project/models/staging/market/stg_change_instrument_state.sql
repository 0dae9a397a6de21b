-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    instrument_id,
    case instrument_state_code when 1 then 'OPEN' when 2 then 'HALTED' when 3 then 'CLOSED' when 4 then 'PRE_OPEN' when 5 then 'OPENING_AUCTION' when 6 then 'CLOSING_AUCTION' when 7 then 'VOLATILITY_AUCTION' end as instrument_state
from {{ source('lake_market', 'change_instrument_state') }}
where sequence <= {{ watermark() }}
