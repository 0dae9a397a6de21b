-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    factor_id,
    {{ unpack_text('symbol_packed') }} as symbol
from {{ source('lake_risk', 'name_factor') }}
where sequence <= {{ watermark() }}
