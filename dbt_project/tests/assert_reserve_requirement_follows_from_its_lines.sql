-- Item 16 from the filed lines alone, written the other way round. Source: 17 CFR 240.15c3-3a.
with filed as (
    select
        sum(case when item_number between 1 and 9 then amount_minor end) as credits_minor,
        sum(case when item_number between 10 and 15 then amount_minor end) as debits_minor,
        sum(case when item_number = 16 then amount_minor end) as requirement_minor,
        count(*) as line_count
    from {{ ref('reserve_lines') }}
    having count(*) > 0
)

select filed.*, requirement.reduction_minor
from filed
cross join {{ ref('reserve_requirement') }} as requirement
where
    filed.line_count <> 16
    or filed.credits_minor + requirement.reduction_minor + requirement.excess_debits_minor
    <> filed.debits_minor + filed.requirement_minor
    or (filed.requirement_minor > 0 and requirement.excess_debits_minor > 0)
    or requirement.order_minor + requirement.deposit_minor <> filed.requirement_minor
