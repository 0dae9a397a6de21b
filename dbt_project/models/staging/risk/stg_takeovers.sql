-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    account_id,
    house_account_id,
    instrument_id,
    taken_lots,
    mark_ticks,
    taken_cost_minor,
    paid_minor
from {{ source('lake_risk', 'takeovers') }}
where sequence <= {{ watermark() }}
