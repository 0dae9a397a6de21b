-- A method or frequency without a rate leaves no row behind; the day must have one.
select as_of.as_of_date
from {{ ref('int_as_of') }} as as_of
left join {{ ref('reserve_requirement') }} as requirement on as_of.as_of_date = requirement.as_of_date
where requirement.as_of_date is null
