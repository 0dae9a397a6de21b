-- What each side of each execution paid, or was paid, is what the ledger took from its account for that execution.
with told as (
    select fill_id, account_id, sum(fee_minor) as fee_minor
    from {{ ref('int_fill_sides') }}
    group by fill_id, account_id
),

posted as (
    select reference_id as fill_id, party_id as account_id, sum(signed_units) as fee_minor
    from {{ ref('int_ledger_entries') }}
    where posting_reason = 'FEE' and account_kind = 'CLIENT'
    group by reference_id, party_id
)

select coalesce(told.fill_id, posted.fill_id) as fill_id, told.fee_minor as told_minor, posted.fee_minor as posted_minor
from told
full outer join posted on told.fill_id = posted.fill_id and told.account_id = posted.account_id
where coalesce(told.fee_minor, 0) <> coalesce(posted.fee_minor, 0)
