-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    bundle_reference,
    incident_reference,
    path,
    manifest_sha256,
    document_count,
    make_timestamp_ns(made_at_ns) as made_at
from {{ source('lake_external', 'evidence_bundles') }}
