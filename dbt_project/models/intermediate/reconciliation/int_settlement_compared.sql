-- Our obligations against what the clearing house confirms, one row a reference.
with told as (
    select
        advices.*,
        row_number() over (
            partition by advices.obligation_reference, coalesce(nullif(advices.agent_reference, ''), advices.advice_key)
            order by advices.advised_at, advices.advice_key
        ) as movement_number,
        row_number() over (
            partition by advices.obligation_reference, advices.settled_units, advices.settled_minor
            order by advices.advised_at, advices.advice_key
        ) as likeness_number
    from {{ ref('stg_settlement_advices') }} as advices
    cross join {{ ref('int_as_of') }} as as_of
    where advices.settlement_date <= as_of.as_of_date
),

confirmed as (
    select
        obligation_reference,
        sum(settled_units) as units,
        sum(settled_minor) as minor,
        sum(settled_units) filter (likeness_number = 1) as unlike_units,
        sum(settled_minor) filter (likeness_number = 1) as unlike_minor,
        max(movement_number) as movement_count,
        min(settlement_date) as first_date
    from told
    where advice_type = 'CONFIRMATION'
    group by obligation_reference
),

statuses as (
    select
        obligation_reference,
        arg_max(status, (advised_at, advice_key)) as status,
        min(settlement_date) as first_date
    from told
    where advice_type = 'STATUS'
    group by obligation_reference
),

theirs as (
    select
        coalesce(confirmed.obligation_reference, statuses.obligation_reference) as obligation_reference,
        confirmed.units,
        confirmed.minor,
        confirmed.unlike_units,
        confirmed.unlike_minor,
        confirmed.movement_count,
        statuses.status as advised_status,
        coalesce(confirmed.first_date, statuses.first_date) as first_date
    from confirmed
    full outer join statuses on confirmed.obligation_reference = statuses.obligation_reference
),

-- what we take to have settled: all of an obligation that is due and of which nobody said otherwise
ours as (
    select
        obligation_reference,
        asset_id <> 0 as has_units,
        case when asset_id = 0 then currency else coalesce(nullif(isin, ''), symbol) end as measure,
        status,
        is_due,
        case when status = 'INSTRUCTED' and is_due then obligation_units else settled_units end as units,
        case when status = 'INSTRUCTED' and is_due then obligation_minor else settled_minor end as minor,
        settlement_date
    from {{ ref('int_obligations_current') }}
),

judged as (
    select
        coalesce(ours.obligation_reference, theirs.obligation_reference) as reference,
        coalesce(ours.measure, 'unknown') as measure,
        coalesce(ours.has_units, theirs.units <> 0, false) as has_units,
        -- what is confirmed of a movement of money has no units that count,
        coalesce(ours.units, 0) as our_units,
        coalesce(ours.minor, 0) as our_minor,
        case when coalesce(ours.has_units, true) then coalesce(theirs.units, 0) else 0 end as their_units,
        coalesce(theirs.minor, 0) as their_minor,
        coalesce(ours.settlement_date, theirs.first_date) as opened_date,
        case
            when ours.obligation_reference is null then 'MISSING_OURS'
            when theirs.obligation_reference is null and not ours.is_due and ours.minor = 0 then 'NOT_YET'
            when theirs.obligation_reference is null then 'MISSING_THEIRS'
            -- they report a failure that our book does not have
            when theirs.units is null and ours.status = 'INSTRUCTED' and ours.is_due then 'MISSING_OURS'
            when theirs.movement_count > 1 then 'DUPLICATE'
            when
                (coalesce(theirs.units, 0) = ours.units or not ours.has_units)
                and coalesce(theirs.minor, 0) = ours.minor
                then 'NONE'
            when theirs.units is null then 'MISSING_THEIRS'
            when
                (theirs.unlike_units = ours.units or not ours.has_units)
                and theirs.unlike_minor = ours.minor
                then 'DUPLICATE'
            when theirs.units <> ours.units and ours.has_units then 'QUANTITY'
            else 'AMOUNT'
        end as cause
    from ours
    full outer join theirs on ours.obligation_reference = theirs.obligation_reference
),

-- units are compared where units differ or decide; money where only money moves or differs
valued as (
    select
        *,
        has_units and (our_units <> their_units or our_minor = their_minor) as is_in_units
    from judged
)

select
    'settlement' as stage,
    reference,
    'clearing house' as place,
    measure,
    (case when is_in_units then our_units else our_minor end)::decimal(38, 0) as our_value,
    (case when is_in_units then their_units else their_minor end)::decimal(38, 0) as their_value,
    case cause when 'NONE' then 'MATCHED' when 'NOT_YET' then 'OPEN' else 'BREAK' end as state,
    cause,
    opened_date
from valued
