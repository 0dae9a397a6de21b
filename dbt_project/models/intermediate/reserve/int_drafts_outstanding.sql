-- Drafts that are drawn and not yet paid.
select
    drawn.payment_id,
    drawn.account_id,
    drawn.asset_id,
    drawn.amount_units as draft_units,
    drawn.occurred_at::date as drawn_date
from {{ ref('stg_drafts') }} as drawn
cross join {{ ref('int_as_of') }} as as_of
left join {{ ref('stg_draft_payments') }} as paid
    on drawn.payment_id = paid.payment_id and paid.sequence <= as_of.as_of_sequence
where drawn.sequence <= as_of.as_of_sequence and paid.payment_id is null
