-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    item_id,
    returned_units,
    open_units,
    operator_id
from {{ source('lake_safekeeping', 'transfer_returns') }}
where sequence <= {{ watermark() }}
