-- Item 16 from the lines alone, written the other way round. Source: 17 CFR 240.15c3-3a.
with lines as (
    select
        formula,
        sum(case when item_number between 1 and 9 then amount_minor end) as credits_minor,
        sum(case when item_number between 10 and 15 then amount_minor end) as debits_minor,
        sum(case when item_number = 16 then amount_minor end) as requirement_minor,
        count(amount_minor) as known_count
    from {{ ref('reserve_lines') }}
    group by formula
)

select
    lines.*,
    required.reduction_minor
from lines
inner join {{ ref('reserve_requirement') }} as required on lines.formula = required.formula
where
    required.requirement_minor is not null
    and (
        lines.known_count <> 16
        or lines.requirement_minor <> required.requirement_minor
        or (
            required.frequency <> 'monthly'
            and lines.credits_minor + required.reduction_minor + required.excess_debits_minor
            <> lines.debits_minor + lines.requirement_minor
        )
        or (lines.requirement_minor > 0 and required.excess_debits_minor > 0)
        or required.order_minor + required.eligible_minor + required.covered_minor <> required.requirement_minor
    )
