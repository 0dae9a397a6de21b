-- What stands behind each item of Exhibit A: one row an account, loan, failure or break.
-- Source: 17 CFR 240.15c3-3a.
with ageing as (
    -- items 7 and 8: 30 calendar days, or 7 business days under the alternative method
    select
        match_key,
        stage,
        reference,
        measure,
        cause,
        difference,
        {% if var('reserve_method') == 'alternative' -%}
        age_business_days > 7 as is_old
        {%- else -%}
        age_days > 30 as is_old
        {%- endif %}
    from {{ ref('int_reconciliation') }}
    where state = 'BREAK'
),

customer_failures as (
    select
        obligations.*,
        (obligations.open_units::hugeint * prices.price_minor // prices.per_units)::bigint as market_value_minor
    from {{ ref('int_obligations_current') }} as obligations
    left join {{ ref('int_asset_prices') }} as prices on obligations.asset_id = prices.asset_id
    where
        obligations.account_class in ('CUSTOMER_CASH', 'CUSTOMER_MARGIN')
        and obligations.asset_class = 'SECURITY'
        and obligations.is_due
        and obligations.open_units > 0
),

credit_balances as (
    select
        1 as item_number,
        'account ' || account_id || ' ' || account_kind || ' ' || currency as source,
        credit_minor as amount_minor
    from {{ ref('int_customer_cash') }}
    where credit_minor <> 0
),

bank_loans as (
    select
        2 as item_number,
        'loan ' || loans.loan_sequence as source,
        {{ ceiling_of('loans.customer_loan_units::hugeint * prices.price_minor', 'prices.per_units') }}::bigint
            as amount_minor
    from {{ ref('int_bank_loans_allocated') }} as loans
    left join {{ ref('int_asset_prices') }} as prices on loans.money_asset_id = prices.asset_id
),

-- a receipt that is overdue counts as failed even before anybody reports it
failed_to_receive as (
    select
        4 as item_number,
        obligation_reference as source,
        case
            when age_days > 30 then greatest(open_minor, coalesce(market_value_minor, 0))
            else open_minor
        end as amount_minor
    from customer_failures
    where obligation_side = 'RECEIVE'
),

-- the custodian holds less than our book says
count_differences as (
    select
        7 as item_number,
        ageing.match_key as source,
        {{ ceiling_of('ageing.difference::hugeint * prices.price_minor', 'prices.per_units') }}::bigint as amount_minor
    from ageing
    inner join {{ ref('stg_assets') }} as assets on ageing.reference = assets.isin
    left join {{ ref('int_asset_prices') }} as prices on assets.asset_id = prices.asset_id
    where ageing.stage = 'custody' and ageing.difference > 0 and ageing.is_old
),

-- money at our bank that nobody has claimed yet
suspense as (
    select
        8 as item_number,
        ageing.match_key as source,
        {{ ceiling_of('-ageing.difference::hugeint * prices.price_minor', 'prices.per_units') }}::bigint as amount_minor
    from ageing
    inner join {{ ref('stg_assets') }} as assets
        on ageing.measure = assets.symbol and assets.asset_class = 'CURRENCY'
    left join {{ ref('int_asset_prices') }} as prices on assets.asset_id = prices.asset_id
    where ageing.cause = 'UNIDENTIFIED_RECEIPT' and ageing.is_old
    union all
    select
        8 as item_number,
        'suspense asset ' || balances.asset_id as source,
        {{ ceiling_of('-balances.balance_units::hugeint * prices.price_minor', 'prices.per_units') }}::bigint
            as amount_minor
    from {{ ref('int_balances_settlement_date') }} as balances
    left join {{ ref('int_asset_prices') }} as prices on balances.asset_id = prices.asset_id
    where balances.account_kind = 'SUSPENSE' and balances.balance_units < 0
),

-- Positions that close in parts. All of them count as customers', whoever's securities they are: never too little.
-- What a conduit passes on is nobody's. Count differences and suspense count at any age.
open_items as (
    select
        items.item_kind,
        items.item_id,
        {{ ceiling_of('items.open_units::hugeint * prices.price_minor', 'prices.per_units') }} as market_value_minor,
        {{ ceiling_of('items.open_money_units::hugeint * monies.price_minor', 'monies.per_units') }} as money_minor,
        date_diff('day', items.opened_date, as_of.as_of_date) as age_days,
        items.acknowledged_date is not null as is_acknowledged
    from {{ ref('int_open_items') }} as items
    cross join {{ ref('int_as_of') }} as as_of
    inner join {{ ref('stg_assets') }} as assets
        on items.asset_id = assets.asset_id and assets.asset_class = 'SECURITY'
    left join {{ ref('int_asset_prices') }} as prices on items.asset_id = prices.asset_id
    left join {{ ref('int_asset_prices') }} as monies on items.money_asset_id = monies.asset_id
    where items.conduit_item_id = 0
),

item_credits as (
    select
        case item_kind
            when 'REPO' then 2
            when 'STOCK_LOAN' then 3
            when 'DISTRIBUTION' then 6
            when 'COUNT_DIFFERENCE' then 7
            when 'SUSPENSE_SHORT' then 8
            when 'TRANSFER' then 9
        end as item_number,
        lower(item_kind) || ' ' || item_id as source,
        -- Note C: where the securities lent are worth more than the collateral, their value counts
        case item_kind
            when 'REPO' then money_minor
            when 'STOCK_LOAN' then greatest(money_minor, market_value_minor)
            else market_value_minor
        end as amount_minor
    from open_items
    where
        item_kind in ('REPO', 'STOCK_LOAN', 'COUNT_DIFFERENCE', 'SUSPENSE_SHORT')
        or (item_kind = 'DISTRIBUTION' and age_days > 30)
        or (item_kind = 'TRANSFER' and age_days > 40 and not is_acknowledged)
),

debits as (
    select
        account_id,
        sum(debit_minor)::bigint as debit_minor
    from {{ ref('int_customer_cash') }}
    group by account_id
    having sum(debit_minor) <> 0
),

-- an unsecured part of a debit is no debit of the formula
debit_balances as (
    select
        10 as item_number,
        'account ' || debits.account_id as source,
        least(debits.debit_minor, coalesce(collateral.long_value_minor, 0)) as amount_minor
    from debits
    left join {{ ref('int_customer_collateral') }} as collateral on debits.account_id = collateral.account_id
),

failed_to_deliver as (
    select
        12 as item_number,
        obligation_reference as source,
        open_minor as amount_minor
    from customer_failures
    where obligation_side = 'DELIVER' and has_failed and age_days <= 30
),

sources as (
    {% for name in [
        'credit_balances', 'bank_loans', 'failed_to_receive', 'count_differences', 'suspense', 'item_credits',
        'debit_balances', 'failed_to_deliver'
    ] %}
    select item_number, source, amount_minor from {{ name }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    item_number::bigint as item_number,
    source,
    amount_minor::bigint as amount_minor
from sources
