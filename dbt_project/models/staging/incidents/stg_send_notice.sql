-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    incident_id,
    client_id,
    case notice_channel_code when 1 then 'MAIL' when 2 then 'ELECTRONIC' end as notice_channel,
    document_id,
    operator_id
from {{ source('lake_incidents', 'send_notice') }}
where sequence <= {{ watermark() }}
