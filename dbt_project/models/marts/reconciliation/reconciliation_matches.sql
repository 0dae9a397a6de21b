select
    match_key,
    stage,
    reference,
    place,
    measure,
    our_value,
    their_value,
    difference,
    state,
    opened_date
from {{ ref('int_reconciliation') }}
