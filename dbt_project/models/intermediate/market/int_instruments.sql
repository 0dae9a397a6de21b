select
    listed.instrument_id,
    listed.instrument_class,
    listed.instrument_class in ('CFD', 'PERPETUAL', 'OPTION') as is_contract,
    listed.symbol,
    listed.base_asset_id,
    base.isin,
    base.unit_digits as base_digits,
    listed.quote_asset_id,
    quote.symbol as currency,
    quote.unit_digits as currency_digits,
    listed.lot_units,
    listed.tick_value_minor,
    marks.mark_ticks
from {{ ref('stg_instruments') }} as listed
inner join {{ ref('stg_assets') }} as base on listed.base_asset_id = base.asset_id
inner join {{ ref('stg_assets') }} as quote on listed.quote_asset_id = quote.asset_id
left join {{ ref('int_marks_current') }} as marks on listed.instrument_id = marks.instrument_id
