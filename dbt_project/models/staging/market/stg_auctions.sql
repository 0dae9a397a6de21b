-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    instrument_id,
    price_ticks,
    quantity_lots,
    surplus_lots,
    case surplus_side_code when 1 then 'BUY' when 2 then 'SELL' end as surplus_side
from {{ source('lake_market', 'auctions') }}
where sequence <= {{ watermark() }}
