-- Money that the reserve formula counts without a row of the stock record, in US cents.
-- Clearing margin counts as far as it is money: what securities qualify, Notes F to H decide and no ledger knows.
with drafts as (
    select
        'drafts' as item,
        accounts.account_class,
        drawn.asset_id,
        drawn.draft_units as units,
        drawn.drawn_date as opened_date
    from {{ ref('int_drafts_outstanding') }} as drawn
    inner join {{ ref('stg_accounts') }} as accounts on drawn.account_id = accounts.account_id
),

items as (
    select
        case item_kind
            when 'MARGIN_OCC' then 'occ_margin'
            when 'MARGIN_DCO' then 'sfp_margin'
            when 'MARGIN_TREASURY' then 'treasury_margin'
            else 'suspense_short'
        end as item,
        -- nobody knows whose a credit in suspense is: it counts as a customer's
        coalesce(nullif(account_class, ''), 'CUSTOMER_CASH') as account_class,
        asset_id,
        open_units as units,
        opened_date
    from {{ ref('int_open_items') }}
    where item_kind in ('MARGIN_OCC', 'MARGIN_DCO', 'MARGIN_TREASURY', 'SUSPENSE_LONG')
),

totals as (
    select * from drafts
    union all
    select * from items
),

valued as (
    select
        totals.item,
        totals.account_class,
        -- credits rounded up, debits down
        case
            when totals.item in ('drafts', 'suspense_short')
                then {{ ceiling_of('totals.units::hugeint * prices.price_minor', 'prices.per_units') }}
            else totals.units::hugeint * prices.price_minor // prices.per_units
        end as amount_minor,
        totals.opened_date
    from totals
    inner join {{ ref('stg_assets') }} as assets
        on totals.asset_id = assets.asset_id and assets.asset_class = 'CURRENCY'
    left join {{ ref('int_asset_prices') }} as prices on totals.asset_id = prices.asset_id
    union all
    -- what is owed in a currency without a price is a credit that nobody knows; a debit in one is not counted
    select
        'free_credits' as item,
        account_class,
        null as amount_minor,
        null as opened_date
    from {{ ref('int_reserve_cash') }}
    where owed_units > 0 and credit_minor is null
)

select
    valued.item,
    case valued.account_class when 'PAB' then 'pab' else 'customer' end as formula,
    valued.amount_minor::bigint as amount_minor,
    {{ no_later_than('valued.opened_date', 'as_of.as_of_date') }} as opened_on
from valued
cross join {{ ref('int_as_of') }} as as_of
where valued.account_class in ('CUSTOMER_CASH', 'CUSTOMER_MARGIN', 'PAB')
