-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    is_stopped = 1 as is_stopped,
    operator_id
from {{ source('lake_market', 'kill_switches') }}
where sequence <= {{ watermark() }}
