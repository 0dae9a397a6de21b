-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    obligation_id,
    settled_units,
    settled_minor,
    open_units,
    open_minor
from {{ source('lake_settlement', 'settlements') }}
where sequence <= {{ watermark() }}
