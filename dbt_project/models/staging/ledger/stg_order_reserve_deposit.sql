-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    payment_id,
    asset_id,
    amount_units,
    date '1970-01-01' + as_of_epoch_day::integer as as_of_date,
    preparer_operator_id,
    approver_operator_id,
    bank_id,
    case reserve_formula_code when 1 then 'CUSTOMER' when 2 then 'PAB' end as reserve_formula
from {{ source('lake_ledger', 'order_reserve_deposit') }}
where sequence <= {{ watermark() }}
