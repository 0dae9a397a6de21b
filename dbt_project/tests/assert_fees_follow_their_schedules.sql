-- Each fee is the schedule's that was in force, rounded up towards the house: 0.2 is 1 charged, and -1.8 is 1 paid out.
-- Without a schedule the taker pays the listing's fee and everybody else nothing.
with sides as (
    select sides.*, coalesce(terms.fee_group_id, 0) as fee_group_id
    from {{ ref('int_fill_sides') }} as sides
    asof left join {{ ref('stg_trading_terms') }} as terms
        on
            sides.account_id = terms.account_id
            and sides.fill_id > terms.sequence
),

rated as (
    select
        sides.*,
        case when sides.liquidity = 'TAKER' then schedules.taker_ppm else schedules.maker_ppm end as rate_ppm
    from sides
    asof left join {{ ref('stg_fees') }} as schedules
        on
            sides.fee_group_id = schedules.fee_group_id
            and sides.instrument_id = schedules.instrument_id
            and sides.fill_id > schedules.sequence
),

reckoned as (
    select
        rated.*,
        abs(rated.gained_minor)::hugeint * coalesce(
            rated.rate_ppm, case when rated.liquidity = 'TAKER' then listed.fee_bps * 100 else 0 end
        ) as millionths
    from rated
    inner join {{ ref('stg_instruments') }} as listed on rated.instrument_id = listed.instrument_id
)

select fill_id, account_id, fee_minor, millionths
from reckoned
where not (fee_minor::hugeint * 1000000 >= millionths and (fee_minor::hugeint - 1) * 1000000 < millionths)
