-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    account_id
from {{ source('lake_risk', 'review_margin') }}
where sequence <= {{ watermark() }}
