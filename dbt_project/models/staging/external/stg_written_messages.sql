-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    message_reference,
    message_type,
    subject_reference,
    path,
    file_sha256,
    make_timestamp_ns(written_at_ns) as written_at
from {{ source('lake_external', 'written_messages') }}
