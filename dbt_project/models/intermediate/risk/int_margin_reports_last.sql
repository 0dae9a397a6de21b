-- The last report of each business day: the others of the day were asked for while it went on.
select
    reports.business_date,
    max(reports.cause_sequence) as report_sequence
from {{ ref('stg_margin_reports') }} as reports
cross join {{ ref('int_as_of') }} as as_of
where reports.sequence <= as_of.as_of_sequence
group by reports.business_date
