-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    tentative_net_capital_minor,
    net_capital_minor,
    aggregate_indebtedness_minor,
    aggregate_debit_items_minor,
    customer_funds_minor,
    date '1970-01-01' + as_of_epoch_day::integer as as_of_date,
    operator_id
from {{ source('lake_reserve', 'record_firm_capital') }}
where sequence <= {{ watermark() }}
