-- The long side of the stock record in the words of the reserve formula: who is owed each security.
-- Source: 17 CFR 240.17a-3(a)(5), 240.15c3-3a.
with claims as (
    select
        asset_id,
        'customer_margin' as claim,
        account_id::varchar as account_id,
        margin_units as quantity,
        null::bigint as contract_value_minor,
        null::date as opened_date
    from {{ ref('int_reserve_holdings') }}
    union all
    select
        asset_id,
        case account_class
            when 'CUSTOMER_CASH' then 'customer_fully_paid'
            when 'CUSTOMER_MARGIN' then 'customer_fully_paid'
            when 'PAB' then 'pab'
            when 'NON_CUSTOMER' then 'noncustomer'
            else 'firm'
        end as claim,
        account_id::varchar as account_id,
        long_units - margin_units as quantity,
        null as contract_value_minor,
        null as opened_date
    from {{ ref('int_reserve_holdings') }}
    union all
    -- what the firm itself is owed without an account
    select
        asset_id,
        'firm' as claim,
        null as account_id,
        (-balance_units)::bigint as quantity,
        null as contract_value_minor,
        null as opened_date
    from {{ ref('int_balances_settlement_date') }}
    where account_kind in ('FIRM_CAPITAL', 'FEE_INCOME')
    union all
    -- a delivery that is due and that nobody has reported failed is no debit yet
    select
        asset_id,
        case when has_failed then 'fail_to_deliver' else 'suspense' end as claim,
        case when has_failed then account_id::varchar else 'unreported ' || obligation_reference end as account_id,
        open_units as quantity,
        open_minor as contract_value_minor,
        settlement_date as opened_date
    from {{ ref('int_obligations_current') }}
    where is_due and obligation_side = 'DELIVER'
    union all
    select
        items.asset_id,
        case items.item_kind
            when 'STOCK_BORROW' then 'borrow' when 'REVERSE_REPO' then 'reverse_repo' else 'suspense'
        end as claim,
        lower(items.item_kind) || ' ' || items.item_id as account_id,
        items.open_units as quantity,
        (items.open_money_units::hugeint * prices.price_minor // prices.per_units)::bigint as contract_value_minor,
        items.opened_date
    from {{ ref('int_open_items') }} as items
    left join {{ ref('int_asset_prices') }} as prices on items.money_asset_id = prices.asset_id
    where items.item_kind in ('STOCK_BORROW', 'REVERSE_REPO', 'SUSPENSE_LONG')
    union all
    -- more was delivered than custody held
    select
        asset_id,
        'suspense' as claim,
        'custody overdrawn' as account_id,
        (-balance_units)::bigint as quantity,
        null as contract_value_minor,
        null as opened_date
    from {{ ref('int_balances_settlement_date') }}
    where account_kind = 'CUSTODY' and balance_units < 0
)

select
    coalesce(nullif(assets.isin, ''), assets.symbol) as issue,
    claims.claim,
    claims.account_id,
    claims.quantity,
    claims.contract_value_minor,
    {{ no_later_than('claims.opened_date', 'as_of.as_of_date') }} as opened_on
from claims
cross join {{ ref('int_as_of') }} as as_of
inner join {{ ref('stg_assets') }} as assets
    on claims.asset_id = assets.asset_id and assets.asset_class = 'SECURITY'
where claims.quantity > 0
