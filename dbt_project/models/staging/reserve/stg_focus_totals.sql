-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    date '1970-01-01' + month_epoch_day::integer as month_date,
    date '1970-01-01' + filed_epoch_day::integer as filed_date,
    customer_credits_minor,
    pab_credits_minor,
    operator_id,
    is_amended = 1 as is_amended
from {{ source('lake_reserve', 'focus_totals') }}
where sequence <= {{ watermark() }}
