-- No client money without an account.
select entries.entry_key
from {{ ref('int_ledger_entries') }} as entries
left join {{ ref('stg_accounts') }} as accounts on entries.party_id = accounts.account_id
where entries.account_kind in ('CLIENT', 'WITHDRAWAL_PAYABLE', 'STREET_PENDING', 'FAIL') and accounts.account_id is null
