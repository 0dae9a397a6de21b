-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    obligation_id,
    failed_units,
    failed_minor
from {{ source('lake_settlement', 'settlement_failures') }}
where sequence <= {{ watermark() }}
