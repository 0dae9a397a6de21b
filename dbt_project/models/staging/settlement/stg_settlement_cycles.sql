-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    date '1970-01-01' + trade_epoch_day::integer as trade_date,
    obligation_count,
    variation_count
from {{ source('lake_settlement', 'settlement_cycles') }}
where sequence <= {{ watermark() }}
