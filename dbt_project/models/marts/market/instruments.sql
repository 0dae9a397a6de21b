-- What is listed, how it trades, and in which phase of its session it is as of the day.
with phases as (
    select
        changes.instrument_id,
        arg_max(changes.instrument_state, changes.sequence) as instrument_state,
        arg_max(changes.order_end, changes.sequence) as state_reason,
        arg_max(changes.occurred_at, changes.sequence) as state_since
    from {{ ref('stg_instrument_state_changes') }} as changes
    cross join {{ ref('int_as_of') }} as as_of
    where changes.sequence <= as_of.as_of_sequence
    group by changes.instrument_id
),

rules as (
    select rules.*
    from {{ ref('stg_venue_rules') }} as rules
    cross join {{ ref('int_as_of') }} as as_of
    where rules.sequence <= as_of.as_of_sequence
    qualify row_number() over (partition by rules.instrument_id order by rules.sequence desc) = 1
),

traded as (
    select
        instrument_id,
        arg_max(price_ticks, fill_id) as last_ticks
    from {{ ref('int_fills_valued') }}
    group by instrument_id
)

select
    instruments.instrument_id,
    instruments.symbol,
    instruments.instrument_class,
    instruments.isin,
    instruments.currency,
    coalesce(phases.instrument_state, 'CLOSED') as instrument_state,
    phases.state_reason,
    phases.state_since,
    instruments.mark_ticks,
    traded.last_ticks,
    instruments.lot_units,
    instruments.tick_value_minor,
    listed.max_order_lots,
    listed.collar_bps,
    listed.margin_bps,
    listed.fee_bps,
    listed.settlement_cycle_count,
    coalesce(rules.dynamic_bps, 0) as dynamic_bps,
    coalesce(rules.static_bps, 0) as static_bps,
    -- a band without a step is none
    case when rules.first_step_ticks > 0 then rules.first_from_ticks end as first_from_ticks,
    case when rules.first_step_ticks > 0 then rules.first_step_ticks end as first_step_ticks,
    case when rules.second_step_ticks > 0 then rules.second_from_ticks end as second_from_ticks,
    case when rules.second_step_ticks > 0 then rules.second_step_ticks end as second_step_ticks,
    case when rules.third_step_ticks > 0 then rules.third_from_ticks end as third_from_ticks,
    case when rules.third_step_ticks > 0 then rules.third_step_ticks end as third_step_ticks
from {{ ref('int_instruments') }} as instruments
inner join {{ ref('stg_instruments') }} as listed on instruments.instrument_id = listed.instrument_id
left join phases on instruments.instrument_id = phases.instrument_id
left join rules on instruments.instrument_id = rules.instrument_id
left join traded on instruments.instrument_id = traded.instrument_id
