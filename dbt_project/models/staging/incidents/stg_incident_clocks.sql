-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    incident_id,
    case incident_clock_code when 1 then 'NOTICE_TO_INDIVIDUALS' when 2 then 'NOTICE_FROM_PROVIDER' when 3 then 'ATTORNEY_GENERAL_DELAY' when 4 then 'RETENTION' end as incident_clock,
    make_timestamp_ns(started_at_ns) as started_at,
    make_timestamp_ns(due_at_ns) as due_at
from {{ source('lake_incidents', 'incident_clocks') }}
where sequence <= {{ watermark() }}
