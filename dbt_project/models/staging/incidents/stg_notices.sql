-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    incident_id,
    client_id,
    case notice_channel_code when 1 then 'MAIL' when 2 then 'ELECTRONIC' end as notice_channel,
    document_id,
    operator_id
from {{ source('lake_incidents', 'notices') }}
where sequence <= {{ watermark() }}
