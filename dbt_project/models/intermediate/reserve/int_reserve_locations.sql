-- The short side of the stock record in the words of the reserve formula: where each security is.
-- Source: 17 CFR 240.17a-3(a)(5), 240.15c3-3a.
with locations as (
    select
        asset_id,
        case account_class
            when 'CUSTOMER_CASH' then 'customer_short'
            when 'CUSTOMER_MARGIN' then 'customer_short'
            when 'PAB' then 'pab_short'
            when 'NON_CUSTOMER' then 'noncustomer_short'
            else 'firm_short'
        end as location,
        account_id::varchar as account_id,
        short_units as quantity,
        null::bigint as contract_value_minor,
        null::date as opened_date
    from {{ ref('int_reserve_holdings') }}
    union all
    select
        asset_id,
        'depository' as location,
        null as account_id,
        balance_units::bigint as quantity,
        null as contract_value_minor,
        null as opened_date
    from {{ ref('int_balances_settlement_date') }}
    -- qualified securities of a reserve account are the firm's own, at that bank
    where account_kind in ('CUSTODY', 'RESERVE_BANK', 'PAB_RESERVE_BANK')
    union all
    -- a receipt that is overdue counts as failed even before anybody reports it
    select
        asset_id,
        'fail_to_receive' as location,
        account_id::varchar as account_id,
        open_units as quantity,
        open_minor as contract_value_minor,
        settlement_date as opened_date
    from {{ ref('int_obligations_current') }}
    where is_due and obligation_side = 'RECEIVE'
    union all
    select
        items.asset_id,
        case items.item_kind
            when 'BANK_LOAN' then 'bank_loan'
            when 'REPO' then 'repo'
            when 'STOCK_LOAN' then 'loan'
            when 'TRANSFER' then 'transfer'
            when 'COUNT_DIFFERENCE' then 'count_difference'
            when 'SUSPENSE_SHORT' then 'suspense'
            when 'DISTRIBUTION' then 'dividend_receivable'
            when 'MARGIN_TREASURY' then 'treasury_clearing'
            else 'occ'  -- at a derivatives clearing organization alike: no item counts securities there
        end as location,
        -- what a loan passes on is identified with its borrow, a customer's margin with the customer
        case
            when items.conduit_item_id <> 0 then 'stock_borrow ' || items.conduit_item_id
            when items.account_id <> 0 then items.account_id::varchar
            else lower(items.item_kind) || ' ' || items.item_id
        end as account_id,
        items.open_units as quantity,
        {{ ceiling_of('items.open_money_units::hugeint * prices.price_minor', 'prices.per_units') }}::bigint
            as contract_value_minor,
        -- a transfer that was acknowledged is as good as sent that day
        coalesce(items.acknowledged_date, items.opened_date) as opened_date
    from {{ ref('int_open_items') }} as items
    left join {{ ref('int_asset_prices') }} as prices on items.money_asset_id = prices.asset_id
    where items.item_kind not in ('STOCK_BORROW', 'REVERSE_REPO', 'SUSPENSE_LONG')
)

select
    coalesce(nullif(assets.isin, ''), assets.symbol) as issue,
    locations.location,
    locations.account_id,
    locations.quantity,
    locations.contract_value_minor,
    {{ no_later_than('locations.opened_date', 'as_of.as_of_date') }} as opened_on
from locations
cross join {{ ref('int_as_of') }} as as_of
inner join {{ ref('stg_assets') }} as assets
    on locations.asset_id = assets.asset_id and assets.asset_class = 'SECURITY'
where locations.quantity > 0
