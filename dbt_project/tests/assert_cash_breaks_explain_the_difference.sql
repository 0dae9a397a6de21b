-- Ledger less bank, each summed on its own, is the sum of breaks and of what is too early to tell.
with ledger as (
    select ours.account_number as place, sum(balances.trade_date_units) as units
    from {{ ref('balances') }} as balances
    inner join {{ ref('our_accounts') }} as ours
        on
            balances.account_kind = ours.account_kind
            and balances.party_id = ours.party_id
            and balances.symbol = ours.currency
    group by ours.account_number
),

bank as (
    select bank_account as place, sum(signed_minor) as units
    from {{ ref('int_bank_lines_deduplicated') }}
    group by bank_account
),

explained as (
    select place, sum(difference) as units
    from {{ ref('reconciliation_matches') }}
    where stage = 'cash' and state <> 'MATCHED'
    group by place
)

select ours.account_number, ledger.units as ledger_units, bank.units as bank_units, explained.units as explained_units
from {{ ref('our_accounts') }} as ours
left join ledger on ours.account_number = ledger.place
left join bank on ours.account_number = bank.place
left join explained on ours.account_number = explained.place
where
    ours.account_kind <> 'CUSTODY'
    and coalesce(ledger.units, 0) - coalesce(bank.units, 0) <> coalesce(explained.units, 0)
