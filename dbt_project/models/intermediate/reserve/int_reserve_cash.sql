-- Cash of each account of a formula in each currency, by settlement date, in US cents; drafts are not in it.
-- A currency other than the dollar is valued at its mark: credits rounded up, debits down.
with accounts as (
    select
        account_id,
        account_class
    from {{ ref('stg_accounts') }}
    where account_class in ('CUSTOMER_CASH', 'CUSTOMER_MARGIN', 'PAB')
),

drafts as (
    select
        account_id,
        asset_id,
        sum(draft_units) as draft_units
    from {{ ref('int_drafts_outstanding') }}
    group by account_id, asset_id
),

cash as (
    select
        accounts.account_id,
        accounts.account_class,
        balances.account_kind,
        assets.symbol as currency,
        -- from the owner's point of view: positive is owed to it
        -balances.balance_units::hugeint
        - case when balances.account_kind = 'WITHDRAWAL_PAYABLE' then coalesce(drafts.draft_units, 0) else 0 end
            as owed_units,
        prices.price_minor,
        prices.per_units
    from {{ ref('int_balances_settlement_date') }} as balances
    inner join accounts on balances.party_id = accounts.account_id
    inner join {{ ref('stg_assets') }} as assets
        on balances.asset_id = assets.asset_id and assets.asset_class = 'CURRENCY'
    left join drafts on balances.party_id = drafts.account_id and balances.asset_id = drafts.asset_id
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
