-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    date '1970-01-01' + business_epoch_day::integer as business_date,
    account_id,
    case margin_state_code when 0 then 'FREE' when 1 then 'WARNED' when 2 then 'NO_NEW_RISK' when 3 then 'CANCELLED' when 4 then 'LIQUIDATED' when 5 then 'BANKRUPT' end as margin_state,
    equity_minor,
    initial_margin_minor,
    maintenance_margin_minor
from {{ source('lake_risk', 'margin_reports') }}
where sequence <= {{ watermark() }}
