-- The firm's last net capital computation on record; no row when there is none.
select
    recorded.tentative_net_capital_minor,
    recorded.net_capital_minor,
    recorded.aggregate_indebtedness_minor
from {{ ref('stg_firm_capitals') }} as recorded
cross join {{ ref('int_as_of') }} as as_of
where recorded.sequence <= as_of.as_of_sequence
order by recorded.sequence desc
limit 1
