-- Every accepted order with what became of it. What is open is what nothing else explains.
with accepted as (
    select orders.*
    from {{ ref('stg_accepted_orders') }} as orders
    cross join {{ ref('int_as_of') }} as as_of
    where orders.sequence <= as_of.as_of_sequence
),

executed as (
    select
        order_id,
        sum(quantity_lots) as lots,
        sum(notional_minor) as minor,
        count(*) as fill_count
    from (
        select taker_order_id as order_id, quantity_lots, notional_minor from {{ ref('int_fills_valued') }}
        union all
        select maker_order_id as order_id, quantity_lots, notional_minor from {{ ref('int_fills_valued') }}
    )
    group by order_id
),

-- each replacement states what is open from then on, so that only executions after it count against it
replaced as (
    select
        replacements.order_id,
        max(replacements.sequence) as last_sequence,
        arg_max(replacements.quantity_lots, replacements.sequence) as open_lots,
        arg_max(replacements.price_ticks, replacements.sequence) as price_ticks,
        count(*) as replacement_count
    from {{ ref('stg_replaced_orders') }} as replacements
    cross join {{ ref('int_as_of') }} as as_of
    where replacements.sequence <= as_of.as_of_sequence
    group by replacements.order_id
),

executed_since as (
    select
        replaced.order_id,
        sum(fills.quantity_lots) as lots
    from replaced
    inner join {{ ref('int_fills_valued') }} as fills
        on
            fills.fill_id > replaced.last_sequence
            and replaced.order_id in (fills.taker_order_id, fills.maker_order_id)
    group by replaced.order_id
),

ended as (
    select
        order_id,
        sum(cancelled_lots) as cancelled_lots,
        sum(expired_lots) as expired_lots
    from (
        select sequence, order_id, cancelled_lots, 0 as expired_lots from {{ ref('stg_cancelled_orders') }}
        union all
        select sequence, order_id, 0 as cancelled_lots, expired_lots from {{ ref('stg_expired_orders') }}
    ) as endings
    cross join {{ ref('int_as_of') }} as as_of
    where endings.sequence <= as_of.as_of_sequence
    group by order_id
),

summed as (
    select
        accepted.*,
        coalesce(replaced.price_ticks, accepted.price_ticks) as last_price_ticks,
        coalesce(replaced.replacement_count, 0) as replacement_count,
        coalesce(executed.lots, 0)::bigint as executed_lots,
        coalesce(executed.minor, 0)::bigint as executed_minor,
        coalesce(executed.fill_count, 0) as fill_count,
        coalesce(ended.cancelled_lots, 0)::bigint as cancelled_lots,
        coalesce(ended.expired_lots, 0)::bigint as expired_lots,
        (
            case
                when replaced.order_id is null then accepted.quantity_lots - coalesce(executed.lots, 0)
                else replaced.open_lots - coalesce(executed_since.lots, 0)
            end
            - coalesce(ended.cancelled_lots, 0)
            - coalesce(ended.expired_lots, 0)
        )::bigint as open_lots
    from accepted
    left join executed on accepted.order_id = executed.order_id
    left join replaced on accepted.order_id = replaced.order_id
    left join executed_since on accepted.order_id = executed_since.order_id
    left join ended on accepted.order_id = ended.order_id
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
    summed.last_price_ticks as price_ticks,
    summed.quantity_lots,
    summed.executed_lots,
    summed.cancelled_lots,
    summed.expired_lots,
    summed.open_lots,
    summed.executed_minor,
    summed.fill_count,
    summed.replacement_count,
    case
        when summed.open_lots > 0 then 'OPEN'
        when summed.cancelled_lots > 0 then 'CANCELLED'
        when summed.expired_lots > 0 then 'EXPIRED'
        else 'FILLED'
    end as status
from summed
inner join {{ ref('int_instruments') }} as instruments on summed.instrument_id = instruments.instrument_id
