-- The price in US cents of some units of each asset, as two integers: no price is ever a fraction here.
with dollars as (
    select
        asset_id,
        1::bigint as price_minor,
        1::bigint as per_units
    from {{ ref('stg_assets') }}
    where asset_class = 'CURRENCY' and symbol = 'USD'
),

marked as (
    select
        base_asset_id as asset_id,
        (mark_ticks * tick_value_minor)::bigint as price_minor,
        lot_units as per_units
    from {{ ref('int_instruments') }}
    where not is_contract and currency = 'USD' and mark_ticks is not null
    -- an asset that trades as several instruments is valued by the one listed first
    qualify row_number() over (partition by base_asset_id order by instrument_id) = 1
)

select asset_id, price_minor, per_units from dollars
union all
select asset_id, price_minor, per_units from marked
