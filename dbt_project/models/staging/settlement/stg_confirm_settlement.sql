-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    obligation_id,
    settled_units,
    settled_minor
from {{ source('lake_settlement', 'confirm_settlement') }}
where sequence <= {{ watermark() }}
