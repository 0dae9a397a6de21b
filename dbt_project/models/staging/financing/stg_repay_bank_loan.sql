-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    item_id,
    repaid_units,
    released_units,
    operator_id
from {{ source('lake_financing', 'repay_bank_loan') }}
where sequence <= {{ watermark() }}
