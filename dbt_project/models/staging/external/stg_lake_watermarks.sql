-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    table_name,
    watermark_count,
    frame_count,
    make_timestamp_ns(written_at_ns) as written_at
from {{ source('lake_external', 'lake_watermarks') }}
