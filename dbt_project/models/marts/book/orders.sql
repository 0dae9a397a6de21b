-- Every accepted order, as it was asked and with what became of it. What is open is what nothing else explains.
with accepted as (
    select orders.*
    from {{ ref('stg_accepted_orders') }} as orders
    cross join {{ ref('int_as_of') }} as as_of
    where orders.sequence <= as_of.as_of_sequence
),

placed as (
    select
        orders.*,
        -- an order that says nothing of its own is treated as its account is set at that moment
        coalesce(nullif(orders.self_trade, 'NONE'), terms.self_trade, 'NONE') as self_trade_in_force
    from accepted
    inner join {{ ref('stg_place_order') }} as orders on accepted.order_id = orders.sequence
    asof left join {{ ref('stg_trading_terms') }} as terms
        on
            accepted.account_id = terms.account_id
            and accepted.sequence > terms.sequence
),

-- each replacement states what is open from then on, so that only what is taken after it counts against it;
-- one that keeps its place keeps its price
replaced as (
    select
        replacements.order_id,
        max(replacements.sequence) as last_sequence,
        arg_max(replacements.quantity_lots, replacements.sequence) as open_lots,
        arg_max(replacements.price_ticks, replacements.sequence) filter (where not replacements.is_priority_kept)
            as price_ticks,
        count(*) as replacement_count
    from {{ ref('stg_replaced_orders') }} as replacements
    cross join {{ ref('int_as_of') }} as as_of
    where replacements.sequence <= as_of.as_of_sequence
    group by replacements.order_id
),

-- an exit may be set off twice: by the end of its entry, then by its stop
triggered as (
    select
        triggers.order_id,
        arg_max(triggers.occurred_at, triggers.sequence) as triggered_at,
        arg_max(triggers.order_end, triggers.sequence) as trigger_reason
    from {{ ref('stg_triggered_orders') }} as triggers
    cross join {{ ref('int_as_of') }} as as_of
    where triggers.sequence <= as_of.as_of_sequence
    group by triggers.order_id
),

taken as (
    select
        lots_taken.order_id,
        sum(lots_taken.lots) filter (where lots_taken.taken_by = 'EXECUTION') as executed_lots,
        sum(lots_taken.lots) filter (where lots_taken.taken_by = 'CANCELLATION') as cancelled_lots,
        sum(lots_taken.lots) filter (where lots_taken.taken_by = 'EXPIRY') as expired_lots,
        sum(lots_taken.lots) filter (where lots_taken.taken_by = 'REDUCTION') as reduced_lots,
        sum(lots_taken.lots) filter (where lots_taken.sequence > coalesce(replaced.last_sequence, 0)) as lots_since,
        sum(lots_taken.notional_minor) as executed_minor,
        sum(lots_taken.fee_minor) as fee_minor,
        count(*) filter (where lots_taken.taken_by = 'EXECUTION') as fill_count,
        arg_max(lots_taken.taken_by, lots_taken.sequence) as last_taken_by,
        arg_max_null(lots_taken.reason, lots_taken.sequence) as last_reason,
        arg_max(lots_taken.occurred_at, lots_taken.sequence) as last_taken_at
    from {{ ref('int_order_lots_taken') }} as lots_taken
    left join replaced on lots_taken.order_id = replaced.order_id
    group by lots_taken.order_id
),

summed as (
    select
        accepted.*,
        replaced.price_ticks as replaced_ticks,
        coalesce(replaced.replacement_count, 0) as replacement_count,
        coalesce(taken.executed_lots, 0)::bigint as executed_lots,
        coalesce(taken.cancelled_lots, 0)::bigint as cancelled_lots,
        coalesce(taken.expired_lots, 0)::bigint as expired_lots,
        coalesce(taken.reduced_lots, 0)::bigint as reduced_lots,
        (coalesce(replaced.open_lots, accepted.quantity_lots) - coalesce(taken.lots_since, 0))::bigint as open_lots,
        coalesce(taken.executed_minor, 0)::bigint as executed_minor,
        coalesce(taken.fee_minor, 0)::bigint as fee_minor,
        coalesce(taken.fill_count, 0) as fill_count,
        taken.last_taken_by,
        taken.last_reason,
        taken.last_taken_at
    from accepted
    left join replaced on accepted.order_id = replaced.order_id
    left join taken on accepted.order_id = taken.order_id
)

select
    summed.order_id,
    summed.occurred_at as accepted_at,
    summed.account_id,
    summed.client_order_id,
    summed.instrument_id,
    instruments.symbol,
    summed.side,
    summed.order_type,
    summed.time_in_force,
    -- a replacement moves the stop of a stop order, and the limit of any other
    case
        when summed.order_type in ('MARKET', 'STOP', 'TRAILING_STOP') then summed.price_ticks
        else coalesce(summed.replaced_ticks, summed.price_ticks)
    end as price_ticks,
    summed.quantity_lots,
    placed.post_only,
    placed.self_trade_in_force as self_trade,
    placed.is_reduce_only,
    placed.display_lots,
    placed.minimum_lots,
    case
        when summed.order_type = 'STOP' then coalesce(summed.replaced_ticks, placed.stop_ticks)
        else placed.stop_ticks
    end as stop_ticks,
    placed.trail_ticks,
    placed.offset_ticks,
    placed.expires_at,
    placed.order_link,
    placed.linked_client_order_id,
    summed.executed_lots,
    summed.cancelled_lots,
    summed.expired_lots,
    summed.reduced_lots,
    summed.open_lots,
    summed.executed_minor,
    summed.fee_minor,
    summed.fill_count,
    summed.replacement_count,
    triggered.triggered_at,
    triggered.trigger_reason,
    case
        when summed.open_lots > 0 then 'OPEN'
        when summed.last_taken_by = 'EXECUTION' then 'FILLED'
        when summed.last_taken_by = 'EXPIRY' then 'EXPIRED'
        else 'CANCELLED'
    end as status,
    case when summed.open_lots = 0 then summed.last_reason end as end_reason,
    case when summed.open_lots = 0 then summed.last_taken_at end as ended_at
from summed
left join placed on summed.order_id = placed.sequence
left join triggered on summed.order_id = triggered.order_id
inner join {{ ref('int_instruments') }} as instruments on summed.instrument_id = instruments.instrument_id
