-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    client_id,
    case account_class_code when 1 then 'CUSTOMER_CASH' when 2 then 'CUSTOMER_MARGIN' when 3 then 'PAB' when 4 then 'NON_CUSTOMER' when 5 then 'FIRM' when 6 then 'STREET' end as account_class,
    max_notional_minor,
    rate_count,
    identity_document_id,
    account_id
from {{ source('lake_identity', 'open_account') }}
where sequence <= {{ watermark() }}
