-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    payment_id,
    asset_id,
    deposit_minor,
    withdrawal_minor,
    date '1970-01-01' + as_of_epoch_day::integer as as_of_date,
    preparer_operator_id,
    approver_operator_id,
    bank_id,
    case reserve_formula_code when 1 then 'CUSTOMER' when 2 then 'PAB' end as reserve_formula
from {{ source('lake_reserve', 'reserve_deposits') }}
where sequence <= {{ watermark() }}
