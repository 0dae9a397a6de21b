-- An auction trades at its one price, and no more than it said could trade; each of its fills is of one auction.
select auction_id
from {{ ref('auctions') }}
where traded_lots > matched_lots
union all
select fills.fill_id
from {{ ref('int_fills_valued') }} as fills
asof left join {{ ref('stg_auctions') }} as auctions
    on
        fills.instrument_id = auctions.instrument_id
        and fills.fill_id > auctions.sequence
where fills.is_auction and (auctions.price_ticks is null or auctions.price_ticks <> fills.price_ticks)
