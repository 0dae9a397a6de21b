-- What each account has of each security, by settlement date; a margin account's longs in two parts.
-- What secures 140 % of a customer's debit is margin, all else is fully paid or excess margin. The firm chooses
-- which: assets in the order of their numbers. What has no price secures nothing.
-- Source: 17 CFR 240.15c3-3(a)(3) to (a)(5).
with held as (
    select
        balances.party_id as account_id,
        accounts.account_class,
        balances.asset_id,
        -balances.balance_units::hugeint as units,
        prices.price_minor,
        prices.per_units
    from {{ ref('int_balances_settlement_date') }} as balances
    inner join {{ ref('stg_accounts') }} as accounts on balances.party_id = accounts.account_id
    inner join {{ ref('stg_assets') }} as assets
        on balances.asset_id = assets.asset_id and assets.asset_class = 'SECURITY'
    left join {{ ref('int_asset_prices') }} as prices on balances.asset_id = prices.asset_id
    where balances.account_kind = 'CLIENT' and balances.balance_units <> 0
),

debits as (
    select
        account_id,
        sum(debit_minor)::hugeint * 140 // 100 as secured_minor
    from {{ ref('int_reserve_cash') }}
    where account_class = 'CUSTOMER_MARGIN'
    group by account_id
),

valued as (
    select
        *,
        case when units > 0 then coalesce({{ ceiling_of('units * price_minor', 'per_units') }}, 0) else 0 end
            as value_minor
    from held
),

ranked as (
    select
        valued.*,
        greatest(
            coalesce(debits.secured_minor, 0) - (
                sum(valued.value_minor) over (partition by valued.account_id order by valued.asset_id)
                - valued.value_minor
            ),
            0
        ) as room_minor
    from valued
    left join debits on valued.account_id = debits.account_id
)

select
    account_id,
    account_class,
    asset_id,
    greatest(units, 0)::bigint as long_units,
    greatest(-units, 0)::bigint as short_units,
    case
        when account_class = 'CUSTOMER_MARGIN' and units > 0 and price_minor > 0
            then least(units, room_minor * per_units // price_minor)
        else 0
    end::bigint as margin_units
from ranked
