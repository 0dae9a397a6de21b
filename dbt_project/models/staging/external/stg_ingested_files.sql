-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    file_sha256,
    file_name,
    message_type,
    message_reference,
    row_count,
    deviations,
    make_timestamp_ns(ingested_at_ns) as ingested_at
from {{ source('lake_external', 'ingested_files') }}
