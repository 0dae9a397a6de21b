-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    case posting_reason_code when 1 then 'TRADE' when 2 then 'FEE' when 3 then 'SETTLEMENT' when 4 then 'FAIL' when 5 then 'DEPOSIT' when 6 then 'WITHDRAWAL' when 7 then 'WITHDRAWAL_PAID' when 8 then 'SECURITIES_TRANSFER' when 9 then 'BANK_LOAN' when 10 then 'PLEDGE' when 11 then 'VARIATION' when 12 then 'RESERVE_DEPOSIT' when 13 then 'CAPITAL' when 14 then 'TAKE_OVER' when 15 then 'DEFICIT' when 16 then 'FINANCING' when 17 then 'FINANCING_RETURN' when 18 then 'LOAN_REPAYMENT' when 19 then 'PLEDGE_RELEASE' when 20 then 'CLEARING_MARGIN' when 21 then 'CLEARING_MARGIN_RETURN' when 22 then 'TRANSFER' when 23 then 'TRANSFER_COMPLETED' when 24 then 'SUSPENSE' when 25 then 'SUSPENSE_CLEARED' when 26 then 'COUNT_DIFFERENCE' when 27 then 'COUNT_RESOLVED' when 28 then 'DISTRIBUTION' when 29 then 'DISTRIBUTION_RECEIVED' when 30 then 'DRAFT' when 31 then 'DRAFT_PAID' end as posting_reason,
    asset_id,
    amount_units,
    case debit_account_kind_code when 1 then 'CLIENT' when 2 then 'FIRM_CAPITAL' when 3 then 'FEE_INCOME' when 4 then 'BANK_LOAN' when 5 then 'WITHDRAWAL_PAYABLE' when 6 then 'SUSPENSE' when 7 then 'STOCK_BORROWED' when 8 then 'REVERSE_REPO' when 9 then 'STOCK_LOAN_PAYABLE' when 10 then 'REPO_PAYABLE' when 11 then 'STREET_PENDING' when 12 then 'FAIL' when 13 then 'NOSTRO' when 14 then 'RESERVE_BANK' when 15 then 'CUSTODY' when 16 then 'COLLATERAL_AT_BANK' when 17 then 'STOCK_LENT' when 18 then 'REPO_COLLATERAL' when 19 then 'STOCK_BORROW_RECEIVABLE' when 20 then 'REVERSE_REPO_RECEIVABLE' when 21 then 'IN_TRANSFER' when 22 then 'SUSPENSE_SHORT' when 23 then 'COUNT_DIFFERENCE' when 24 then 'DISTRIBUTION_RECEIVABLE' when 25 then 'MARGIN_AT_OCC' when 26 then 'MARGIN_AT_DCO' when 27 then 'MARGIN_AT_TREASURY_CLEARING' when 28 then 'PAB_RESERVE_BANK' end as debit_account_kind,
    debit_party_id,
    case credit_account_kind_code when 1 then 'CLIENT' when 2 then 'FIRM_CAPITAL' when 3 then 'FEE_INCOME' when 4 then 'BANK_LOAN' when 5 then 'WITHDRAWAL_PAYABLE' when 6 then 'SUSPENSE' when 7 then 'STOCK_BORROWED' when 8 then 'REVERSE_REPO' when 9 then 'STOCK_LOAN_PAYABLE' when 10 then 'REPO_PAYABLE' when 11 then 'STREET_PENDING' when 12 then 'FAIL' when 13 then 'NOSTRO' when 14 then 'RESERVE_BANK' when 15 then 'CUSTODY' when 16 then 'COLLATERAL_AT_BANK' when 17 then 'STOCK_LENT' when 18 then 'REPO_COLLATERAL' when 19 then 'STOCK_BORROW_RECEIVABLE' when 20 then 'REVERSE_REPO_RECEIVABLE' when 21 then 'IN_TRANSFER' when 22 then 'SUSPENSE_SHORT' when 23 then 'COUNT_DIFFERENCE' when 24 then 'DISTRIBUTION_RECEIVABLE' when 25 then 'MARGIN_AT_OCC' when 26 then 'MARGIN_AT_DCO' when 27 then 'MARGIN_AT_TREASURY_CLEARING' when 28 then 'PAB_RESERVE_BANK' end as credit_account_kind,
    credit_party_id,
    reference_id,
    date '1970-01-01' + value_epoch_day::integer as value_date
from {{ source('lake_ledger', 'postings') }}
where sequence <= {{ watermark() }}
