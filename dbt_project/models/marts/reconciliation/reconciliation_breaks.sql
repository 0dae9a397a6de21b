select
    match_key as break_key,
    stage,
    cause,
    reference,
    place,
    measure,
    our_value,
    their_value,
    difference,
    opened_date,
    age_days,
    case
        when age_days = 0 then '0'
        when age_days = 1 then '1'
        when age_days <= 3 then '2-3'
        when age_days <= 7 then '4-7'
        when age_days <= 30 then '8-30'
        when age_days <= 40 then '31-40'
        else 'over 40'
    end as age_bucket
from {{ ref('int_reconciliation') }}
where state = 'BREAK'
