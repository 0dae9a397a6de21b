-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    payment_id
from {{ source('lake_payments', 'confirm_draft') }}
where sequence <= {{ watermark() }}
