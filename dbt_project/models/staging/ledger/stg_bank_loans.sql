-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    bank_id,
    money_asset_id,
    loan_units,
    pledged_asset_id,
    pledged_units
from {{ source('lake_ledger', 'bank_loans') }}
where sequence <= {{ watermark() }}
