-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    asset_id,
    amount_units,
    operator_id
from {{ source('lake_ledger', 'contribute_capital') }}
where sequence <= {{ watermark() }}
