-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    line_key,
    file_sha256,
    case statement_type_code when 52 then 'INTRADAY_REPORT' when 53 then 'STATEMENT' when 54 then 'ADVICE' end as statement_type,
    bank_account,
    statement_reference,
    entry_reference,
    end_to_end_reference,
    entry_status,
    bank_transaction,
    case entry_side_code when 1 then 'CREDIT' when 2 then 'DEBIT' end as entry_side,
    currency,
    amount,
    is_reversal = 1 as is_reversal,
    date '1970-01-01' + booking_epoch_day::integer as booking_date,
    date '1970-01-01' + value_epoch_day::integer as value_date,
    remittance
from {{ source('lake_external', 'bank_statement_lines') }}
