-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    date '1970-01-01' + business_epoch_day::integer as business_date
from {{ source('lake_risk', 'report_margins') }}
where sequence <= {{ watermark() }}
