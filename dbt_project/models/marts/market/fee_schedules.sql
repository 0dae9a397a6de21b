-- What each group of accounts pays on an instrument as of the day. Without a row the listing's taker fee counts.
with latest as (
    select
        schedules.fee_group_id,
        schedules.instrument_id,
        arg_max(schedules.taker_ppm, schedules.sequence) as taker_ppm,
        arg_max(schedules.maker_ppm, schedules.sequence) as maker_ppm,
        max(schedules.sequence) as sequence,
        arg_max(schedules.occurred_at, schedules.sequence) as set_at
    from {{ ref('stg_fees') }} as schedules
    cross join {{ ref('int_as_of') }} as as_of
    where schedules.sequence <= as_of.as_of_sequence
    group by schedules.fee_group_id, schedules.instrument_id
)

select
    latest.fee_group_id,
    latest.instrument_id,
    instruments.symbol,
    latest.taker_ppm,
    latest.maker_ppm,
    latest.sequence,
    latest.set_at
from latest
inner join {{ ref('int_instruments') }} as instruments on latest.instrument_id = instruments.instrument_id
