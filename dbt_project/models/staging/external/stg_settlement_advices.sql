-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    advice_key,
    file_sha256,
    case advice_type_code when 24 then 'STATUS' when 25 then 'CONFIRMATION' end as advice_type,
    obligation_reference,
    agent_reference,
    isin,
    status,
    settled_units,
    settled_minor,
    date '1970-01-01' + settlement_epoch_day::integer as settlement_date,
    make_timestamp_ns(advised_at_ns) as advised_at
from {{ source('lake_external', 'settlement_advices') }}
