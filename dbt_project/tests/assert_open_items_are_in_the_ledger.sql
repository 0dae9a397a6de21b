-- What is open item by item is what the ledger has of each kind: nothing there is without an age.
with parts as (
    select kind, asset_id, sum(units) as units
    from (
        select
            case item_kind
                when 'BANK_LOAN' then 'COLLATERAL_AT_BANK'
                when 'STOCK_BORROW' then 'STOCK_BORROWED'
                when 'STOCK_LOAN' then 'STOCK_LENT'
                when 'REPO' then 'REPO_COLLATERAL'
                when 'TRANSFER' then 'IN_TRANSFER'
                when 'SUSPENSE_LONG' then 'SUSPENSE'
                when 'DISTRIBUTION' then 'DISTRIBUTION_RECEIVABLE'
                when 'MARGIN_OCC' then 'MARGIN_AT_OCC'
                when 'MARGIN_DCO' then 'MARGIN_AT_DCO'
                when 'MARGIN_TREASURY' then 'MARGIN_AT_TREASURY_CLEARING'
                else item_kind
            end as kind,
            asset_id,
            open_units as units
        from {{ ref('int_open_items') }}
        union all
        select
            case item_kind
                when 'BANK_LOAN' then 'BANK_LOAN'
                when 'STOCK_BORROW' then 'STOCK_BORROW_RECEIVABLE'
                when 'STOCK_LOAN' then 'STOCK_LOAN_PAYABLE'
                when 'REPO' then 'REPO_PAYABLE'
                when 'REVERSE_REPO' then 'REVERSE_REPO_RECEIVABLE'
            end as kind,
            money_asset_id as asset_id,
            open_money_units as units
        from {{ ref('int_open_items') }}
        where money_asset_id <> 0
    )
    group by kind, asset_id
),

ledger as (
    select account_kind as kind, asset_id, sum(abs(trade_date_units)) as units
    from {{ ref('balances') }}
    where account_kind in (
        'COLLATERAL_AT_BANK', 'BANK_LOAN', 'STOCK_BORROWED', 'STOCK_BORROW_RECEIVABLE', 'STOCK_LENT',
        'STOCK_LOAN_PAYABLE', 'REPO_COLLATERAL', 'REPO_PAYABLE', 'REVERSE_REPO', 'REVERSE_REPO_RECEIVABLE',
        'IN_TRANSFER', 'COUNT_DIFFERENCE', 'SUSPENSE', 'SUSPENSE_SHORT', 'DISTRIBUTION_RECEIVABLE',
        'MARGIN_AT_OCC', 'MARGIN_AT_DCO', 'MARGIN_AT_TREASURY_CLEARING'
    )
    group by account_kind, asset_id
)

select
    coalesce(parts.kind, ledger.kind) as kind,
    coalesce(parts.asset_id, ledger.asset_id) as asset_id,
    parts.units as item_units,
    ledger.units as ledger_units
from parts
full outer join ledger on parts.kind = ledger.kind and parts.asset_id = ledger.asset_id
where coalesce(parts.units, 0) <> coalesce(ledger.units, 0)
