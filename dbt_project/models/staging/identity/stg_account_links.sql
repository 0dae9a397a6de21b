-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    account_id,
    household_id,
    is_affiliate = 1 as is_affiliate,
    operator_id
from {{ source('lake_identity', 'account_links') }}
where sequence <= {{ watermark() }}
