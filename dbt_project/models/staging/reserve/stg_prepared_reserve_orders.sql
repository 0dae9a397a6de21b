-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    date '1970-01-01' + as_of_epoch_day::integer as as_of_date,
    required_minor,
    eligible_minor,
    filing_a_word,
    filing_b_word,
    filing_c_word,
    filing_d_word,
    operator_id,
    bank_id,
    case reserve_formula_code when 1 then 'CUSTOMER' when 2 then 'PAB' end as reserve_formula,
    payment_id,
    asset_id,
    amount_units
from {{ source('lake_reserve', 'prepared_reserve_orders') }}
where sequence <= {{ watermark() }}
