-- A match has no difference, and nothing that differs passes for a match.
select match_key, state, difference
from {{ ref('reconciliation_matches') }}
where state = 'MATCHED' and difference <> 0
