-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    item_id,
    asset_id,
    case control_step_code when 1 then 'RELEASE_LIEN' when 2 then 'RECALL_LOAN' when 3 then 'BUY_IN' end as control_step,
    instructed_units,
    date '1970-01-01' + instructed_epoch_day::integer as instructed_date,
    date '1970-01-01' + due_epoch_day::integer as due_date,
    operator_id
from {{ source('lake_reserve', 'control_instructions') }}
where sequence <= {{ watermark() }}
