-- Whatever took lots off an order, in the order of the journal: an execution, or a word of the engine and why.
with taken as (
    select
        fill_id as sequence,
        occurred_at,
        taker_order_id as order_id,
        'EXECUTION' as taken_by,
        quantity_lots as lots,
        notional_minor,
        taker_fee_minor as fee_minor,
        null as reason
    from {{ ref('int_fills_valued') }}
    union all
    select
        fill_id as sequence,
        occurred_at,
        maker_order_id as order_id,
        'EXECUTION' as taken_by,
        quantity_lots as lots,
        notional_minor,
        maker_fee_minor as fee_minor,
        null as reason
    from {{ ref('int_fills_valued') }}
    union all
    select
        sequence,
        occurred_at,
        order_id,
        'CANCELLATION' as taken_by,
        cancelled_lots as lots,
        0 as notional_minor,
        0 as fee_minor,
        order_end as reason
    from {{ ref('stg_cancelled_orders') }}
    union all
    select
        sequence,
        occurred_at,
        order_id,
        'EXPIRY' as taken_by,
        expired_lots as lots,
        0 as notional_minor,
        0 as fee_minor,
        order_end as reason
    from {{ ref('stg_expired_orders') }}
    union all
    select
        sequence,
        occurred_at,
        order_id,
        'REDUCTION' as taken_by,
        reduced_lots as lots,
        0 as notional_minor,
        0 as fee_minor,
        order_end as reason
    from {{ ref('stg_reduced_orders') }}
)

select taken.*
from taken
cross join {{ ref('int_as_of') }} as as_of
where taken.sequence <= as_of.as_of_sequence
