-- What a unit of each security is worth, in dollars, rounded up to the eighth decimal. No fact of the book says that
-- a security is exempt (17 CFR 240.15c3-3a Note E(1)), so none is.
select
    coalesce(nullif(assets.isin, ''), assets.symbol) as issue,
    {{ as_decimal(ceiling_of('prices.price_minor::hugeint * 1000000', 'prices.per_units'), '8') }}::decimal(18, 8)
        as price,
    false as is_exempt
from {{ ref('int_asset_prices') }} as prices
inner join {{ ref('stg_assets') }} as assets
    on prices.asset_id = assets.asset_id and assets.asset_class = 'SECURITY'
