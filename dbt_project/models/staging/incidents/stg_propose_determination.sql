-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    incident_id,
    case conclusion_code when 1 then 'NOTIFY' when 2 then 'NO_NOTICE' end as conclusion,
    document_id,
    operator_id
from {{ source('lake_incidents', 'propose_determination') }}
where sequence <= {{ watermark() }}
