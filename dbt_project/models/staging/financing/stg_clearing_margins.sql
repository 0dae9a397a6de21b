-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    item_id,
    case clearing_agency_code when 1 then 'OCC' when 2 then 'DCO' when 3 then 'TREASURY' end as clearing_agency,
    case account_class_code when 1 then 'CUSTOMER_CASH' when 2 then 'CUSTOMER_MARGIN' when 3 then 'PAB' when 4 then 'NON_CUSTOMER' when 5 then 'FIRM' when 6 then 'STREET' end as account_class,
    account_id,
    asset_id,
    margin_units,
    date '1970-01-01' + opened_epoch_day::integer as opened_date,
    operator_id
from {{ source('lake_financing', 'clearing_margins') }}
where sequence <= {{ watermark() }}
