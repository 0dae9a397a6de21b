-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    payment_id,
    account_id,
    asset_id,
    amount_units
from {{ source('lake_payments', 'issue_draft') }}
where sequence <= {{ watermark() }}
