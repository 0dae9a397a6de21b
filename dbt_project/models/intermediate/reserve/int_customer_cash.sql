-- Each customer account's cash in each currency, by settlement date, in US cents.
-- A currency other than the dollar is valued at its mark: credits rounded up, debits down.
with customers as (
    select
        account_id,
        account_class
    from {{ ref('stg_accounts') }}
    where account_class in ('CUSTOMER_CASH', 'CUSTOMER_MARGIN')
),

cash as (
    select
        customers.account_id,
        customers.account_class,
        balances.account_kind,
        assets.symbol as currency,
        -- from the customer's point of view: positive is owed to the customer
        -balances.balance_units::hugeint as owed_units,
        prices.price_minor,
        prices.per_units
    from {{ ref('int_balances_settlement_date') }} as balances
    inner join customers on balances.party_id = customers.account_id
    inner join {{ ref('stg_assets') }} as assets
        on balances.asset_id = assets.asset_id and assets.asset_class = 'CURRENCY'
    left join {{ ref('int_asset_prices') }} as prices on balances.asset_id = prices.asset_id
    where balances.account_kind in ('CLIENT', 'WITHDRAWAL_PAYABLE')
)

select
    account_id,
    account_class,
    account_kind,
    currency,
    owed_units::decimal(38, 0) as owed_units,
    {{ ceiling_of('greatest(owed_units, 0) * price_minor', 'per_units') }}::bigint as credit_minor,
    (greatest(-owed_units, 0) * price_minor // per_units)::bigint as debit_minor
from cash
where owed_units <> 0
