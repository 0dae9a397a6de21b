-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    filing_reference,
    date '1970-01-01' + as_of_epoch_day::integer as as_of_date,
    credits_minor,
    debits_minor,
    reduction_minor,
    requirement_minor,
    deposit_minor,
    make_timestamp_ns(due_at_ns) as due_at,
    path,
    file_sha256
from {{ source('lake_external', 'filed_reserves') }}
