-- Market value of the long securities of each customer account, by settlement date, rounded down.
-- A security without a mark has no value here, so that it secures no debit.
select
    balances.party_id as account_id,
    sum(-balances.balance_units::hugeint * prices.price_minor // prices.per_units)::bigint as long_value_minor
from {{ ref('int_balances_settlement_date') }} as balances
inner join {{ ref('stg_accounts') }} as accounts
    on balances.party_id = accounts.account_id and accounts.account_class in ('CUSTOMER_CASH', 'CUSTOMER_MARGIN')
inner join {{ ref('stg_assets') }} as assets
    on balances.asset_id = assets.asset_id and assets.asset_class = 'SECURITY'
inner join {{ ref('int_asset_prices') }} as prices on balances.asset_id = prices.asset_id
where balances.account_kind = 'CLIENT' and balances.balance_units < 0
group by balances.party_id
