-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    obligation_id,
    account_id,
    instrument_id,
    asset_id,
    quote_asset_id,
    case obligation_side_code when 1 then 'RECEIVE' when 2 then 'DELIVER' when 3 then 'PAY_CASH' when 4 then 'COLLECT_CASH' end as obligation_side,
    obligation_units,
    obligation_minor,
    date '1970-01-01' + trade_epoch_day::integer as trade_date,
    date '1970-01-01' + settlement_epoch_day::integer as settlement_date
from {{ source('lake_settlement', 'obligations') }}
where sequence <= {{ watermark() }}
