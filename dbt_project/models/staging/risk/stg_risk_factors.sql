-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    factor_id,
    {{ unpack_text('symbol_packed') }} as symbol
from {{ source('lake_risk', 'risk_factors') }}
where sequence <= {{ watermark() }}
