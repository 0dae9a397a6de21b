-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    tentative_net_capital_minor,
    net_capital_minor,
    aggregate_indebtedness_minor,
    aggregate_debit_items_minor,
    customer_funds_minor,
    date '1970-01-01' + as_of_epoch_day::integer as as_of_date,
    operator_id
from {{ source('lake_reserve', 'firm_capitals') }}
where sequence <= {{ watermark() }}
