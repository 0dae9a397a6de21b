-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    account_id,
    house_account_id
from {{ source('lake_risk', 'take_over_account') }}
where sequence <= {{ watermark() }}
