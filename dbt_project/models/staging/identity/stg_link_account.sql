-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    account_id,
    household_id,
    is_affiliate <> 0 as is_affiliate,
    operator_id
from {{ source('lake_identity', 'link_account') }}
where sequence <= {{ watermark() }}
