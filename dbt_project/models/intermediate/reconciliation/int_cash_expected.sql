-- What our ledger says moved on each bank account, by the reference that the bank is to repeat.
with movements as (
    select
        ours.account_number as bank_account,
        case entries.posting_reason
            when 'SETTLEMENT' then 'OB'
            when 'WITHDRAWAL_PAID' then 'WD'
            when 'DEPOSIT' then 'DP'
            when 'RESERVE_DEPOSIT' then 'RD'
            when 'BANK_LOAN' then 'BL'
            when 'LOAN_REPAYMENT' then 'BL'
            when 'FINANCING' then 'FN'
            when 'FINANCING_RETURN' then 'FN'
            when 'CLEARING_MARGIN' then 'CM'
            when 'CLEARING_MARGIN_RETURN' then 'CM'
            when 'SUSPENSE' then 'SU'
            when 'SUSPENSE_CLEARED' then 'SU'
            when 'DISTRIBUTION_RECEIVED' then 'DI'
            when 'DRAFT_PAID' then 'DR'
            when 'CAPITAL' then 'CC'
            else entries.posting_reason || '-'
        end || entries.reference_id as reference,
        entries.asset_id,
        ours.currency,
        entries.signed_units,
        entries.value_date
    from {{ ref('int_ledger_entries') }} as entries
    inner join {{ ref('stg_assets') }} as assets on entries.asset_id = assets.asset_id
    inner join {{ ref('our_accounts') }} as ours
        on
            entries.account_kind = ours.account_kind
            and entries.party_id = ours.party_id
            and assets.symbol = ours.currency
)

select
    bank_account,
    reference,
    asset_id,
    currency,
    sum(signed_units)::decimal(38, 0) as expected_minor,
    list(signed_units order by signed_units) as movements_minor,
    min(value_date) as first_date,
    max(value_date) as last_date
from movements
group by bank_account, reference, asset_id, currency
