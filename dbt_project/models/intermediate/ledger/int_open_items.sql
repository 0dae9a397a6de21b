-- Positions that close in parts, with what of each is still open: what gives a part of a balance its age.
-- A balance has no age of its own; the item that moved it has.
with as_of as (
    select as_of_sequence
    from {{ ref('int_as_of') }}
),

opened as (
    select
        sequence as item_id,
        'BANK_LOAN' as item_kind,
        pledged_asset_id as asset_id,
        pledged_units as opened_units,
        money_asset_id,
        loan_units as opened_money_units,
        0::bigint as conduit_item_id,
        0::bigint as account_id,
        '' as account_class,
        occurred_at::date as opened_date
    from {{ ref('stg_bank_loans') }}
    union all
    select
        item_id,
        financing_kind as item_kind,
        asset_id,
        financed_units as opened_units,
        money_asset_id,
        money_units as opened_money_units,
        conduit_item_id,
        0::bigint as account_id,
        '' as account_class,
        opened_date
    from {{ ref('stg_financings') }}
    union all
    select
        item_id,
        'MARGIN_' || clearing_agency as item_kind,
        asset_id,
        margin_units as opened_units,
        0::bigint as money_asset_id,
        0::bigint as opened_money_units,
        0::bigint as conduit_item_id,
        account_id,
        account_class,
        opened_date
    from {{ ref('stg_clearing_margins') }}
    {% for kind, table, units, asset in [
        ("'TRANSFER'", 'stg_transfers', 'transfer_units', 'asset_id'),
        ("'COUNT_DIFFERENCE'", 'stg_count_differences', 'missing_units', 'asset_id'),
        ("'SUSPENSE_' || suspense_side", 'stg_suspense_entries', 'suspense_units', 'asset_id'),
        ("'DISTRIBUTION'", 'stg_distributions', 'receivable_units', 'distributed_asset_id'),
    ] %}
    union all
    select
        item_id,
        {{ kind }} as item_kind,
        {{ asset }} as asset_id,
        {{ units }} as opened_units,
        0::bigint as money_asset_id,
        0::bigint as opened_money_units,
        0::bigint as conduit_item_id,
        0::bigint as account_id,
        '' as account_class,
        opened_date
    from {{ ref(table) }}
    {% endfor %}
),

-- every reduction tells what it left open; the last one speaks
reduced as (
    {% for table in ['stg_financing_returns', 'stg_bank_loan_repayments'] %}
    select
        sequence,
        item_id,
        open_units,
        open_money_units
    from {{ ref(table) }}
    union all
    {% endfor %}
    {% for table in [
        'stg_clearing_margin_returns', 'stg_transfer_returns', 'stg_suspense_clearings', 'stg_count_resolutions',
        'stg_distribution_receipts'
    ] %}
    select
        sequence,
        item_id,
        open_units,
        0::bigint as open_money_units
    from {{ ref(table) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

latest as (
    select
        reduced.item_id,
        arg_max(reduced.open_units, reduced.sequence) as open_units,
        arg_max(reduced.open_money_units, reduced.sequence) as open_money_units
    from reduced
    cross join as_of
    where reduced.sequence <= as_of.as_of_sequence
    group by reduced.item_id
),

acknowledged as (
    select
        acknowledgements.item_id,
        min(acknowledgements.occurred_at)::date as acknowledged_date
    from {{ ref('stg_transfer_acknowledgements') }} as acknowledgements
    cross join as_of
    where acknowledgements.sequence <= as_of.as_of_sequence
    group by acknowledgements.item_id
),

measured as (
    select
        opened.*,
        coalesce(latest.open_units, opened.opened_units)::bigint as open_units,
        coalesce(latest.open_money_units, opened.opened_money_units)::bigint as open_money_units,
        acknowledged.acknowledged_date
    from opened
    cross join as_of
    left join latest on opened.item_id = latest.item_id
    left join acknowledged on opened.item_id = acknowledged.item_id
    where opened.item_id <= as_of.as_of_sequence
)

select
    item_id,
    item_kind,
    asset_id,
    open_units,
    money_asset_id,
    open_money_units,
    conduit_item_id,
    account_id,
    account_class,
    opened_date,
    acknowledged_date
from measured
where open_units <> 0 or open_money_units <> 0
