-- The day has a row for each formula.
select as_of.as_of_date
from {{ ref('int_as_of') }} as as_of
left join {{ ref('reserve_requirement') }} as requirement on as_of.as_of_date = requirement.as_of_date
group by as_of.as_of_date
having count(requirement.formula) <> 2
