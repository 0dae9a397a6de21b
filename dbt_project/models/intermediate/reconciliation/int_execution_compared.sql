-- Executions against what was instructed of them, one row an account, instrument and trade day.
with cycles as (
    select
        cycles.sequence,
        cycles.cause_sequence,
        cycles.trade_date
    from {{ ref('stg_settlement_cycles') }} as cycles
    cross join {{ ref('int_as_of') }} as as_of
    where cycles.sequence <= as_of.as_of_sequence
),

-- a day may have more than one cycle; what trades after the last one is still open
ends as (
    select
        trade_date,
        max(sequence) as last_sequence
    from cycles
    group by trade_date
),

traded as (
    select
        sides.account_id,
        sides.instrument_id,
        sides.trade_date,
        sum(sides.gained_units) as units,
        sum(sides.gained_minor) as minor,
        max(sides.fill_id) > any_value(ends.last_sequence) as is_traded_since
    from {{ ref('int_fill_sides') }} as sides
    left join ends on sides.trade_date = ends.trade_date
    where not sides.is_contract
    group by sides.account_id, sides.instrument_id, sides.trade_date
),

-- a contract delivers nothing: its variation takes the place of its executions
varied as (
    select
        variations.account_id,
        variations.instrument_id,
        cycles.trade_date,
        0 as units,
        sum(variations.variation_minor) as minor,
        false as is_traded_since
    from {{ ref('stg_variations') }} as variations
    inner join cycles on variations.cause_sequence = cycles.cause_sequence
    group by variations.account_id, variations.instrument_id, cycles.trade_date
),

ours as (
    select account_id, instrument_id, trade_date, units, minor, is_traded_since from traded
    union all
    select account_id, instrument_id, trade_date, units, minor, is_traded_since from varied
),

theirs as (
    select
        account_id,
        instrument_id,
        trade_date,
        sum(case obligation_side when 'RECEIVE' then obligation_units when 'DELIVER' then -obligation_units else 0 end)
            as units,
        sum(case when obligation_side in ('DELIVER', 'COLLECT_CASH') then obligation_minor else -obligation_minor end)
            as minor
    from {{ ref('int_obligations_current') }}
    group by account_id, instrument_id, trade_date
),

compared as (
    select
        coalesce(ours.account_id, theirs.account_id) as account_id,
        coalesce(ours.instrument_id, theirs.instrument_id) as instrument_id,
        coalesce(ours.trade_date, theirs.trade_date) as trade_date,
        coalesce(ours.units, 0) as our_units,
        coalesce(ours.minor, 0) as our_minor,
        coalesce(theirs.units, 0) as their_units,
        coalesce(theirs.minor, 0) as their_minor,
        coalesce(ours.is_traded_since, false) as is_traded_since,
        ours.account_id is null as is_untraded,
        theirs.account_id is null as is_uninstructed
    from ours
    full outer join theirs
        on
            ours.account_id = theirs.account_id
            and ours.instrument_id = theirs.instrument_id
            and ours.trade_date = theirs.trade_date
),

judged as (
    select
        compared.*,
        instruments.symbol,
        compared.our_units <> compared.their_units as is_in_units,
        case
            when compared.our_units = compared.their_units and compared.our_minor = compared.their_minor then 'NONE'
            when ends.last_sequence is null or compared.is_traded_since then 'NOT_YET'
            when compared.is_untraded then 'MISSING_OURS'
            when compared.is_uninstructed then 'MISSING_THEIRS'
            when compared.our_units <> compared.their_units then 'QUANTITY'
            else 'AMOUNT'
        end as cause
    from compared
    inner join {{ ref('int_instruments') }} as instruments on compared.instrument_id = instruments.instrument_id
    left join ends on compared.trade_date = ends.trade_date
)

select
    'execution' as stage,
    account_id || '/' || instrument_id || '/' || trade_date as reference,
    'settlement cycle' as place,
    symbol as measure,
    (case when is_in_units then our_units else our_minor end)::decimal(38, 0) as our_value,
    (case when is_in_units then their_units else their_minor end)::decimal(38, 0) as their_value,
    case cause when 'NONE' then 'MATCHED' when 'NOT_YET' then 'OPEN' else 'BREAK' end as state,
    cause,
    trade_date as opened_date
from judged
