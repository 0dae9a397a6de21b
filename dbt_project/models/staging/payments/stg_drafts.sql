-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    payment_id,
    account_id,
    asset_id,
    amount_units
from {{ source('lake_payments', 'drafts') }}
where sequence <= {{ watermark() }}
