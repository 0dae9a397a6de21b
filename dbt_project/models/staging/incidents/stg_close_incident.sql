-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    incident_id,
    operator_id
from {{ source('lake_incidents', 'close_incident') }}
where sequence <= {{ watermark() }}
