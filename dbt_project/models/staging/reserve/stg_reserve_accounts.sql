-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    bank_id,
    case reserve_formula_code when 1 then 'CUSTOMER' when 2 then 'PAB' end as reserve_formula,
    is_affiliate = 1 as is_affiliate,
    letter_document_id,
    operator_id
from {{ source('lake_reserve', 'reserve_accounts') }}
where sequence <= {{ watermark() }}
