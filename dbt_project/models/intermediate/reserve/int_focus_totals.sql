-- Total credits of filed month-end FOCUS reports. An amended report is a row of its own, from the day of its filing.
-- Source: 17 CFR 240.15c3-3(e)(3)(i)(B)(1).
select
    recorded.month_date as month,
    recorded.customer_credits_minor,
    recorded.pab_credits_minor,
    recorded.filed_date
from {{ ref('stg_focus_totals') }} as recorded
cross join {{ ref('int_as_of') }} as as_of
where recorded.sequence <= as_of.as_of_sequence
