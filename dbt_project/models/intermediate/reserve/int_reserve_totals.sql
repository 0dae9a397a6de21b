-- Money that the reserve formula counts without a row of the stock record, in US cents.
-- Drafts are in int_customer_cash as well, as WITHDRAWAL_PAYABLE: a formula takes them from one of the two.
-- Clearing margin counts as far as it is money: what securities qualify, Notes F to H decide and no ledger knows.
with drafts as (
    select
        'drafts' as item,
        accounts.account_class,
        issued.asset_id,
        issued.amount_units as units,
        issued.occurred_at::date as opened_date
    from {{ ref('stg_drafts') }} as issued
    cross join {{ ref('int_as_of') }} as as_of
    inner join {{ ref('stg_accounts') }} as accounts on issued.account_id = accounts.account_id
    left join {{ ref('stg_draft_payments') }} as paid
        on issued.payment_id = paid.payment_id and paid.sequence <= as_of.as_of_sequence
    where issued.sequence <= as_of.as_of_sequence and paid.payment_id is null
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
)

select
    totals.item,
    case totals.account_class when 'PAB' then 'pab' else 'customer' end as formula,
    -- credits rounded up, debits down
    case
        when totals.item in ('drafts', 'suspense_short')
            then {{ ceiling_of('totals.units::hugeint * prices.price_minor', 'prices.per_units') }}
        else totals.units::hugeint * prices.price_minor // prices.per_units
    end::bigint as amount_minor,
    totals.opened_date as opened_on
from totals
inner join {{ ref('stg_assets') }} as assets
    on totals.asset_id = assets.asset_id and assets.asset_class = 'CURRENCY'
left join {{ ref('int_asset_prices') }} as prices on totals.asset_id = prices.asset_id
where totals.account_class in ('CUSTOMER_CASH', 'CUSTOMER_MARGIN', 'PAB')
