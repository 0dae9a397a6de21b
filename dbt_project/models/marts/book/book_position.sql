-- One row: how far into the journal everything above was computed.
select
    as_of_date,
    {{ watermark() }}::bigint as journal_sequence
from {{ ref('int_as_of') }}
