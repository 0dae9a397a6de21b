-- One row: the day that everything above is told as of, and the last sequence that belongs to it.
-- No row while no business day has started.
with days as (
    select
        business_date,
        second_date,
        -- a day ends where the next one starts
        lead(sequence) over (order by sequence) - 1 as last_sequence
    from {{ ref('stg_business_days') }}
)

select
    business_date as as_of_date,
    second_date as second_date,
    coalesce(last_sequence, 9223372036854775807)::bigint as as_of_sequence
from days
{% if var('as_of_date') %}
where business_date <= date '{{ var('as_of_date') }}'
{% endif %}
order by business_date desc
limit 1
