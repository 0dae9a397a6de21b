-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    date '1970-01-01' + business_epoch_day::integer as business_date,
    account_id,
    instrument_id,
    held_lots,
    cost_minor,
    open_buy_lots,
    open_sell_lots,
    open_loss_minor,
    mark_ticks
from {{ source('lake_risk', 'margin_report_positions') }}
where sequence <= {{ watermark() }}
