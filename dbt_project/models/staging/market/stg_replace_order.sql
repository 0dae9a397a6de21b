-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    session_id,
    account_id,
    client_order_id,
    price_ticks,
    quantity_lots,
    case post_only_code when 0 then 'NONE' when 1 then 'REJECT' when 2 then 'REPRICE' end as post_only
from {{ source('lake_market', 'replace_order') }}
where sequence <= {{ watermark() }}
