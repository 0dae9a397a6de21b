-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    incident_id,
    case aware_source_code when 1 then 'SELF' when 2 then 'PROVIDER' end as aware_source,
    make_timestamp_ns(detected_at_ns) as detected_at,
    provider_id,
    make_timestamp_ns(provider_aware_at_ns) as provider_aware_at,
    is_sensitive = 1 as is_sensitive,
    operator_id,
    make_timestamp_ns(aware_at_ns) as aware_at
from {{ source('lake_incidents', 'incidents') }}
where sequence <= {{ watermark() }}
