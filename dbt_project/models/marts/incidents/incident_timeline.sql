-- Everything that was done about each incident, in order. Source: 17 CFR 240.17a-4(e)(14).
with events as (
    select incident_id, sequence, occurred_at, 'OPENED' as event, operator_id, null::bigint as client_id,
        null::bigint as document_id, 'found by ' || lower(aware_source) as detail
    from {{ ref('stg_incidents') }}
    union all
    select incident_id, sequence, occurred_at, 'CLOCK_STARTED', null, null, null, incident_clock || ' due ' || due_at
    from {{ ref('stg_incident_clocks') }}
    union all
    select incident_id, sequence, occurred_at, 'AFFECTED_IDENTIFIED', operator_id, client_id, null, ''
    from {{ ref('stg_affected_clients') }}
    union all
    select incident_id, sequence, occurred_at, 'CONTAINED', operator_id, null, nullif(document_id, 0), ''
    from {{ ref('stg_containments') }}
    union all
    select incident_id, sequence, occurred_at, 'DETERMINATION_PROPOSED', operator_id, null, nullif(document_id, 0),
        conclusion
    from {{ ref('stg_determination_proposals') }}
    union all
    select incident_id, sequence, occurred_at, 'DETERMINATION_APPROVED', approver_operator_id, null, null, conclusion
    from {{ ref('stg_determinations') }}
    union all
    select incident_id, sequence, occurred_at, 'NOTICE_SENT', operator_id, client_id, nullif(document_id, 0),
        notice_channel
    from {{ ref('stg_notices') }}
    union all
    select incident_id, sequence, occurred_at, 'CLOSED', operator_id, null, null, ''
    from {{ ref('stg_incident_closures') }}
)

select
    events.incident_id,
    events.sequence,
    events.occurred_at,
    events.event,
    events.operator_id,
    events.client_id,
    events.document_id,
    events.detail
from events
cross join {{ ref('int_as_of') }} as as_of
where events.sequence <= as_of.as_of_sequence
