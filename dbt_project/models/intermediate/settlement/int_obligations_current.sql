with known as (
    select
        obligations.*,
        as_of.as_of_date,
        as_of.as_of_sequence
    from {{ ref('stg_obligations') }} as obligations
    cross join {{ ref('int_as_of') }} as as_of
    where obligations.sequence <= as_of.as_of_sequence
),

settled as (
    select
        settlements.obligation_id,
        sum(settlements.settled_units) as settled_units,
        sum(settlements.settled_minor) as settled_minor
    from {{ ref('stg_settlements') }} as settlements
    inner join known on settlements.obligation_id = known.obligation_id
    where settlements.sequence <= known.as_of_sequence
    group by settlements.obligation_id
),

failed as (
    select distinct failures.obligation_id
    from {{ ref('stg_settlement_failures') }} as failures
    inner join known on failures.obligation_id = known.obligation_id
    where failures.sequence <= known.as_of_sequence
),

measured as (
    select
        known.*,
        coalesce(settled.settled_units, 0)::bigint as settled_units,
        coalesce(settled.settled_minor, 0)::bigint as settled_minor,
        (known.obligation_units - coalesce(settled.settled_units, 0))::bigint as open_units,
        (known.obligation_minor - coalesce(settled.settled_minor, 0))::bigint as open_minor,
        failed.obligation_id is not null as has_failed
    from known
    left join settled on known.obligation_id = settled.obligation_id
    left join failed on known.obligation_id = failed.obligation_id
)

select
    measured.obligation_id,
    'OB' || measured.obligation_id as obligation_reference,
    measured.cause_sequence,
    measured.account_id,
    accounts.account_class,
    measured.instrument_id,
    instruments.symbol,
    measured.asset_id,
    coalesce(assets.asset_class, 'NONE') as asset_class,
    coalesce(assets.isin, '') as isin,
    coalesce(assets.unit_digits, 0) as asset_digits,
    instruments.currency,
    instruments.currency_digits,
    measured.obligation_side,
    measured.obligation_units,
    measured.obligation_minor,
    measured.settled_units,
    measured.settled_minor,
    measured.open_units,
    measured.open_minor,
    case
        when measured.open_units = 0 and measured.open_minor = 0 then 'SETTLED'
        when measured.has_failed then 'FAILED'
        when measured.settled_units > 0 or measured.settled_minor > 0 then 'PARTIALLY_SETTLED'
        else 'INSTRUCTED'
    end as status,
    measured.has_failed,
    measured.settlement_date <= measured.as_of_date as is_due,
    greatest(date_diff('day', measured.settlement_date, measured.as_of_date), 0) as age_days,
    measured.trade_date,
    measured.settlement_date
from measured
inner join {{ ref('int_instruments') }} as instruments on measured.instrument_id = instruments.instrument_id
inner join {{ ref('stg_accounts') }} as accounts on measured.account_id = accounts.account_id
left join {{ ref('stg_assets') }} as assets on measured.asset_id = assets.asset_id
