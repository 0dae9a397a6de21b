-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    obligation_id
from {{ source('lake_settlement', 'report_settlement_failure') }}
where sequence <= {{ watermark() }}
