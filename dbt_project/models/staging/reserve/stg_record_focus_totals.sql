-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    date '1970-01-01' + month_epoch_day::integer as month_date,
    date '1970-01-01' + filed_epoch_day::integer as filed_date,
    customer_credits_minor,
    pab_credits_minor,
    operator_id,
    is_amended <> 0 as is_amended
from {{ source('lake_reserve', 'record_focus_totals') }}
where sequence <= {{ watermark() }}
