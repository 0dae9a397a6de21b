-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    asset_id,
    document_id,
    operator_id
from {{ source('lake_reserve', 'qualified_securities') }}
where sequence <= {{ watermark() }}
