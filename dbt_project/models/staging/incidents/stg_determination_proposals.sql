-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    incident_id,
    case conclusion_code when 1 then 'NOTIFY' when 2 then 'NO_NOTICE' end as conclusion,
    document_id,
    operator_id
from {{ source('lake_incidents', 'determination_proposals') }}
where sequence <= {{ watermark() }}
