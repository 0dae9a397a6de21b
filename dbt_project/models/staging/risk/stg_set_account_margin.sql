-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    is_retail = 1 as is_retail,
    has_protection = 1 as has_protection,
    own_asset_id,
    account_id
from {{ source('lake_risk', 'set_account_margin') }}
where sequence <= {{ watermark() }}
