-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    item_id,
    date '1970-01-01' + completed_epoch_day::integer as completed_date,
    operator_id
from {{ source('lake_reserve', 'completed_control_instructions') }}
where sequence <= {{ watermark() }}
