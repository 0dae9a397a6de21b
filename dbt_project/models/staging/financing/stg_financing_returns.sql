-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    item_id,
    open_units,
    open_money_units,
    operator_id,
    returned_units,
    returned_money_units
from {{ source('lake_financing', 'financing_returns') }}
where sequence <= {{ watermark() }}
