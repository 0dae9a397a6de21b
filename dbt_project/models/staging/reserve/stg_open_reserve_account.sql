-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    bank_id,
    case reserve_formula_code when 1 then 'CUSTOMER' when 2 then 'PAB' end as reserve_formula,
    is_affiliate <> 0 as is_affiliate,
    letter_document_id,
    operator_id
from {{ source('lake_reserve', 'open_reserve_account') }}
where sequence <= {{ watermark() }}
