-- One row: the day that everything above is told as of. No row while no business day has started.
select max(business_date) as as_of_date
from {{ ref('stg_business_days') }}
{% if var('as_of_date') %}
where business_date <= date '{{ var('as_of_date') }}'
{% endif %}
having max(business_date) is not null
