-- Where each deadline of Regulation S-P stands at the end of the day. Source: 17 CFR 248.30(a)(4) and (a)(5).
with clocks as (
    -- a clock that was started again replaces the earlier one
    select
        clocks.incident_id,
        clocks.incident_clock,
        arg_max(clocks.started_at, clocks.sequence) as started_at,
        arg_max(clocks.due_at, clocks.sequence) as due_at
    from {{ ref('stg_incident_clocks') }} as clocks
    cross join {{ ref('int_as_of') }} as as_of
    where clocks.sequence <= as_of.as_of_sequence
    group by clocks.incident_id, clocks.incident_clock
),

delays as (
    select
        incident_id,
        due_at
    from clocks
    where incident_clock = 'ATTORNEY_GENERAL_DELAY'
),

excused as (
    select
        incident_id,
        min(occurred_at) as done_at
    from {{ ref('incident_timeline') }}
    where event = 'DETERMINATION_APPROVED' and detail = 'NO_NOTICE'
    group by incident_id
),

notified as (
    select
        affected.incident_id,
        count(*) as affected_count,
        count(sent.client_id) as notified_count,
        max(sent.occurred_at) as done_at
    from (
        select distinct incident_id, client_id
        from {{ ref('incident_timeline') }}
        where event = 'AFFECTED_IDENTIFIED'
    ) as affected
    left join (
        select incident_id, client_id, min(occurred_at) as occurred_at
        from {{ ref('incident_timeline') }}
        where event = 'NOTICE_SENT'
        group by incident_id, client_id
    ) as sent on affected.incident_id = sent.incident_id and affected.client_id = sent.client_id
    group by affected.incident_id
),

measured as (
    select
        clocks.incident_id,
        clocks.incident_clock,
        clocks.started_at,
        case
            when clocks.incident_clock = 'NOTICE_TO_INDIVIDUALS'
                then greatest(clocks.due_at, coalesce(delays.due_at, clocks.due_at))
            else clocks.due_at
        end as due_at,
        case
            when clocks.incident_clock = 'NOTICE_TO_INDIVIDUALS' and excused.done_at is not null then excused.done_at
            when clocks.incident_clock = 'NOTICE_TO_INDIVIDUALS' and notified.notified_count = notified.affected_count
                then notified.done_at
            -- the provider's notice is what made the firm aware
            when clocks.incident_clock = 'NOTICE_FROM_PROVIDER' then incidents.aware_at
        end as done_at,
        coalesce(notified.affected_count, 0) as affected_count,
        coalesce(notified.notified_count, 0) as notified_count,
        (as_of.as_of_date + 1)::timestamp_ns as told_at
    from clocks
    cross join {{ ref('int_as_of') }} as as_of
    inner join {{ ref('stg_incidents') }} as incidents on clocks.incident_id = incidents.incident_id
    left join delays on clocks.incident_id = delays.incident_id
    left join excused on clocks.incident_id = excused.incident_id
    left join notified on clocks.incident_id = notified.incident_id
)

select
    incident_id,
    incident_clock,
    started_at,
    due_at,
    done_at,
    affected_count,
    notified_count,
    case
        when done_at <= due_at then 'MET'
        when done_at is not null then 'LATE'
        when told_at <= due_at then 'RUNNING'
        when incident_clock in ('NOTICE_TO_INDIVIDUALS', 'NOTICE_FROM_PROVIDER') then 'OVERDUE'
        else 'ENDED'
    end as status
from measured
