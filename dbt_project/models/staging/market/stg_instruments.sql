-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    instrument_id,
    case instrument_class_code when 1 then 'EQUITY' when 2 then 'FX_SPOT' when 3 then 'CRYPTO_SPOT' when 4 then 'CFD' when 5 then 'PERPETUAL' when 6 then 'OPTION' end as instrument_class,
    {{ unpack_text('symbol_packed') }} as symbol,
    base_asset_id,
    quote_asset_id,
    lot_units,
    tick_value_minor,
    window_floor_ticks,
    collar_bps,
    max_order_lots,
    margin_bps,
    fee_bps,
    settlement_cycle_count
from {{ source('lake_market', 'instruments') }}
where sequence <= {{ watermark() }}
