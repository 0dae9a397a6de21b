select
    account_kind,
    party_id,
    asset_id,
    sum(signed_units)::decimal(38, 0) as balance_units
from {{ ref('int_ledger_entries') }}
group by account_kind, party_id, asset_id
