-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    date '1970-01-01' + business_epoch_day::integer as business_date,
    date '1970-01-01' + next_epoch_day::integer as next_date,
    date '1970-01-01' + second_epoch_day::integer as second_date
from {{ source('lake_market', 'start_business_day') }}
where sequence <= {{ watermark() }}
