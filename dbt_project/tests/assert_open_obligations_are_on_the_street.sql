-- What the ledger has pending with the street or failed is what obligations and uninstructed trades leave open.
with ledger as (
    select party_id as account_id, asset_id, sum(trade_date_units) as units
    from {{ ref('stock_record') }}
    where account_kind in ('STREET_PENDING', 'FAIL')
    group by party_id, asset_id
),

claims as (
    select account_id, asset_id, case obligation_side when 'RECEIVE' then open_units else -open_units end as units
    from {{ ref('int_obligations_current') }}
    where asset_class in ('SECURITY', 'TOKEN')
    union all
    -- executions less what was instructed of them
    select sides.account_id, instruments.base_asset_id as asset_id, sides.gained_units as units
    from {{ ref('int_fill_sides') }} as sides
    inner join {{ ref('int_instruments') }} as instruments on sides.instrument_id = instruments.instrument_id
    where not sides.is_contract and instruments.instrument_class <> 'FX_SPOT'
    union all
    select
        account_id, asset_id,
        case obligation_side when 'RECEIVE' then -obligation_units else obligation_units end as units
    from {{ ref('int_obligations_current') }}
    where asset_class in ('SECURITY', 'TOKEN')
),

claimed as (
    select account_id, asset_id, sum(units) as units
    from claims
    group by account_id, asset_id
)

select
    coalesce(ledger.account_id, claimed.account_id) as account_id,
    coalesce(ledger.asset_id, claimed.asset_id) as asset_id,
    ledger.units as ledger_units,
    claimed.units as claimed_units
from ledger
full outer join claimed on ledger.account_id = claimed.account_id and ledger.asset_id = claimed.asset_id
where coalesce(ledger.units, 0) <> coalesce(claimed.units, 0)
