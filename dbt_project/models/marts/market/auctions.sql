-- Each price that an auction found, with what was traded at it.
with known as (
    select auctions.*
    from {{ ref('stg_auctions') }} as auctions
    cross join {{ ref('int_as_of') }} as as_of
    where auctions.sequence <= as_of.as_of_sequence
),

-- the phase that the auction ended is the last one that was told before it
dated as (
    select
        known.*,
        phases.instrument_state as phase,
        days.business_date
    from known
    asof left join {{ ref('stg_instrument_state_changes') }} as phases
        on
            known.instrument_id = phases.instrument_id
            and known.sequence > phases.sequence
    asof left join {{ ref('stg_business_days') }} as days on known.sequence > days.sequence
),

-- the fills of an auction follow it, up to the next auction of the instrument
traded as (
    select
        known.sequence,
        sum(fills.quantity_lots) as traded_lots,
        sum(fills.notional_minor) as notional_minor,
        count(*) as fill_count
    from {{ ref('int_fills_valued') }} as fills
    asof inner join known
        on
            fills.instrument_id = known.instrument_id
            and fills.fill_id > known.sequence
    where fills.is_auction
    group by known.sequence
)

select
    dated.sequence as auction_id,
    dated.occurred_at,
    dated.business_date,
    dated.instrument_id,
    instruments.symbol,
    dated.phase,
    dated.price_ticks,
    {{ price_of('dated.price_ticks', 'instruments') }} as price,
    instruments.currency,
    dated.quantity_lots as matched_lots,
    coalesce(traded.traded_lots, 0)::bigint as traded_lots,
    coalesce(traded.notional_minor, 0)::bigint as notional_minor,
    coalesce(traded.fill_count, 0) as fill_count,
    dated.surplus_lots,
    case when dated.surplus_lots > 0 then dated.surplus_side end as surplus_side
from dated
inner join {{ ref('int_instruments') }} as instruments on dated.instrument_id = instruments.instrument_id
left join traded on dated.sequence = traded.sequence
