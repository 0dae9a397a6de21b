-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    asset_id,
    case asset_class_code when 1 then 'CURRENCY' when 2 then 'SECURITY' when 3 then 'TOKEN' end as asset_class,
    {{ unpack_text('symbol_packed') }} as symbol,
    {{ unpack_text('isin_packed') }} as isin,
    unit_digits
from {{ source('lake_market', 'register_asset') }}
where sequence <= {{ watermark() }}
