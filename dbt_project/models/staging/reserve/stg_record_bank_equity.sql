-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    bank_id,
    equity_minor,
    date '1970-01-01' + as_of_epoch_day::integer as as_of_date,
    operator_id
from {{ source('lake_reserve', 'record_bank_equity') }}
where sequence <= {{ watermark() }}
