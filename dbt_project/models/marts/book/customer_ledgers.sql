-- Each client account itemised, with its balance after every entry. Source: 17 CFR 240.17a-3(a)(3).
select
    entries.entry_key,
    entries.party_id as account_id,
    accounts.account_class,
    entries.asset_id,
    assets.symbol,
    entries.sequence,
    entries.occurred_at,
    entries.value_date,
    entries.posting_reason,
    entries.reference_id,
    greatest(entries.signed_units, 0)::bigint as debit_units,
    greatest(-entries.signed_units, 0)::bigint as credit_units,
    (-sum(entries.signed_units) over (
        partition by entries.party_id, entries.asset_id
        order by entries.sequence, entries.entry_side
        rows between unbounded preceding and current row
    ))::decimal(38, 0) as owed_units
from {{ ref('int_ledger_entries') }} as entries
inner join {{ ref('stg_accounts') }} as accounts on entries.party_id = accounts.account_id
inner join {{ ref('stg_assets') }} as assets on entries.asset_id = assets.asset_id
where entries.account_kind = 'CLIENT'
