-- The same entries as the trade-date view, less those whose value date is still to come.
select
    entries.account_kind,
    entries.party_id,
    entries.asset_id,
    sum(entries.signed_units)::decimal(38, 0) as balance_units
from {{ ref('int_ledger_entries') }} as entries
cross join {{ ref('int_as_of') }} as as_of
where entries.value_date <= as_of.as_of_date
group by entries.account_kind, entries.party_id, entries.asset_id
