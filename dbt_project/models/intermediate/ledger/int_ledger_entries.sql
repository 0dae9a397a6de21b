-- Each posting as two signed rows: debits are positive, credits negative.
with known as (
    select postings.*
    from {{ ref('stg_postings') }} as postings
    cross join {{ ref('int_as_of') }} as as_of
    where postings.sequence <= as_of.as_of_sequence
),

sides as (
    select
        sequence,
        occurred_at,
        posting_reason,
        'DEBIT' as entry_side,
        debit_account_kind as account_kind,
        debit_party_id as party_id,
        asset_id,
        amount_units as signed_units,
        reference_id,
        value_date
    from known
    union all
    select
        sequence,
        occurred_at,
        posting_reason,
        'CREDIT' as entry_side,
        credit_account_kind as account_kind,
        credit_party_id as party_id,
        asset_id,
        -amount_units as signed_units,
        reference_id,
        value_date
    from known
)

select
    sequence || '-' || entry_side as entry_key,
    sequence,
    occurred_at,
    posting_reason,
    entry_side,
    account_kind,
    account_kind in (
        'CLIENT', 'FIRM_CAPITAL', 'FEE_INCOME', 'BANK_LOAN', 'WITHDRAWAL_PAYABLE', 'SUSPENSE', 'STOCK_BORROWED',
        'REVERSE_REPO', 'STOCK_LOAN_PAYABLE', 'REPO_PAYABLE'
    ) as is_owner_side,
    party_id,
    asset_id,
    signed_units,
    reference_id,
    value_date
from sides
