-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    document_id,
    case document_type_code when 1 then 'INVESTIGATION' when 2 then 'CONTAINMENT' when 3 then 'DETERMINATION' when 4 then 'NOTICE' when 5 then 'ATTORNEY_GENERAL' when 6 then 'PROVIDER_REPORT' end as document_type,
    operator_id,
    digest_a_word,
    digest_b_word,
    digest_c_word,
    digest_d_word
from {{ source('lake_incidents', 'documents') }}
where sequence <= {{ watermark() }}
