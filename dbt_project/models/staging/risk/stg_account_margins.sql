-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    is_retail = 1 as is_retail,
    has_protection = 1 as has_protection,
    own_asset_id,
    account_id
from {{ source('lake_risk', 'account_margins') }}
where sequence <= {{ watermark() }}
