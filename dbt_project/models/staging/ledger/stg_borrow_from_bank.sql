-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    bank_id,
    money_asset_id,
    loan_units,
    pledged_asset_id,
    pledged_units,
    operator_id
from {{ source('lake_ledger', 'borrow_from_bank') }}
where sequence <= {{ watermark() }}
