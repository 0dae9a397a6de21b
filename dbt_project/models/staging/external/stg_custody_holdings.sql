-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    holding_key,
    file_sha256,
    safekeeping_account,
    isin,
    holding_units,
    date '1970-01-01' + statement_epoch_day::integer as statement_date
from {{ source('lake_external', 'custody_holdings') }}
