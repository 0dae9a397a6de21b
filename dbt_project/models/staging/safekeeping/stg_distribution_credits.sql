-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    item_id,
    account_id,
    credited_units
from {{ source('lake_safekeeping', 'distribution_credits') }}
where sequence <= {{ watermark() }}
