-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    asset_id,
    document_id,
    operator_id
from {{ source('lake_reserve', 'record_qualified_security') }}
where sequence <= {{ watermark() }}
