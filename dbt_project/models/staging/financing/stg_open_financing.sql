-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    case financing_kind_code when 1 then 'STOCK_BORROW' when 2 then 'STOCK_LOAN' when 3 then 'REPO' when 4 then 'REVERSE_REPO' end as financing_kind,
    counterparty_id,
    asset_id,
    financed_units,
    money_asset_id,
    money_units,
    conduit_item_id,
    date '1970-01-01' + opened_epoch_day::integer as opened_date,
    operator_id
from {{ source('lake_financing', 'open_financing') }}
where sequence <= {{ watermark() }}
