-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    account_id,
    case account_status_code when 1 then 'ACTIVE' when 2 then 'RESTRICTED' when 3 then 'SUSPENDED' when 4 then 'CLOSED' end as account_status,
    operator_id
from {{ source('lake_identity', 'account_status_changes') }}
where sequence <= {{ watermark() }}
