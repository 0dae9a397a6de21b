-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    balance_key,
    file_sha256,
    bank_account,
    statement_reference,
    balance_type,
    currency,
    amount,
    date '1970-01-01' + balance_epoch_day::integer as balance_date
from {{ source('lake_external', 'bank_balances') }}
