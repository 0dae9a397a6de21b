-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    asset_id,
    case control_step_code when 1 then 'RELEASE_LIEN' when 2 then 'RECALL_LOAN' when 3 then 'BUY_IN' end as control_step,
    instructed_units,
    date '1970-01-01' + due_epoch_day::integer as due_date,
    operator_id
from {{ source('lake_reserve', 'record_control_instruction') }}
where sequence <= {{ watermark() }}
