-- Differences with custodian and bank that the book has not recorded, as totals of the reserve formula: securities of
-- which the custodian holds less, money at our bank that nobody has claimed. Whether one is old enough to count, the
-- formula says. Source: 17 CFR 240.15c3-3a, Items 7 and 8.
with breaks as (
    select *
    from {{ ref('int_reconciliation') }}
    where state = 'BREAK'
),

count_differences as (
    select
        'count_differences_short' as item,
        breaks.match_key,
        breaks.difference::hugeint as units,
        assets.asset_id,
        breaks.opened_date
    from breaks
    inner join {{ ref('stg_assets') }} as assets
        on
            breaks.reference = coalesce(nullif(assets.isin, ''), assets.symbol)
            and assets.asset_class = 'SECURITY'
    where breaks.stage = 'custody' and breaks.difference > 0
),

receipts as (
    select
        'suspense_short' as item,
        breaks.match_key,
        -breaks.difference::hugeint as units,
        assets.asset_id,
        breaks.opened_date
    from breaks
    inner join {{ ref('stg_assets') }} as assets
        on breaks.measure = assets.symbol and assets.asset_class = 'CURRENCY'
    where breaks.cause = 'UNIDENTIFIED_RECEIPT'
),

found as (
    select * from count_differences
    union all
    select * from receipts
)

select
    found.match_key,
    found.item,
    -- whose they are nobody knows: they count in the customers' formula, or in the only one that there is
    null::varchar as formula,
    {{ ceiling_of('found.units * prices.price_minor', 'prices.per_units') }}::bigint as amount_minor,
    found.opened_date as opened_on
from found
left join {{ ref('int_asset_prices') }} as prices on found.asset_id = prices.asset_id
