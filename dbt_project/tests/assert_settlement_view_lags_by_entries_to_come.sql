-- Trade date less settlement date is exactly the entries whose value date is still to come.
with to_come as (
    select entries.account_kind, entries.party_id, entries.asset_id, sum(entries.signed_units) as units
    from {{ ref('int_ledger_entries') }} as entries
    cross join {{ ref('int_as_of') }} as as_of
    where entries.value_date > as_of.as_of_date
    group by entries.account_kind, entries.party_id, entries.asset_id
)

select balances.*
from {{ ref('balances') }} as balances
left join to_come
    on
        balances.account_kind = to_come.account_kind
        and balances.party_id = to_come.party_id
        and balances.asset_id = to_come.asset_id
where balances.trade_date_units - balances.settlement_date_units <> coalesce(to_come.units, 0)
