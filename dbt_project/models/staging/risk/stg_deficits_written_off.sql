-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    account_id,
    deficit_minor
from {{ source('lake_risk', 'deficits_written_off') }}
where sequence <= {{ watermark() }}
