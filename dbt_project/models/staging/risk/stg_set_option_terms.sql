-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    underlying_instrument_id,
    underlying_lots,
    strike_ticks,
    date '1970-01-01' + expiry_epoch_day::integer as expiry_date,
    is_call = 1 as is_call,
    volatility_ppm,
    volatility_factor_id,
    instrument_id
from {{ source('lake_risk', 'set_option_terms') }}
where sequence <= {{ watermark() }}
