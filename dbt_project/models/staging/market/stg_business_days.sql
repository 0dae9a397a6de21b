-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    date '1970-01-01' + business_epoch_day::integer as business_date,
    date '1970-01-01' + next_epoch_day::integer as next_date,
    date '1970-01-01' + second_epoch_day::integer as second_date,
    expired_order_count
from {{ source('lake_market', 'business_days') }}
where sequence <= {{ watermark() }}
