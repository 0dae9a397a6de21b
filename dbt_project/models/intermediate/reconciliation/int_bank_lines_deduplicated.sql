-- Banks tell a movement up to three times: intraday, as an advice and on the statement. One report speaks for
-- each entry, the statement before the others. An entry that this one report holds twice stays twice.
with booked as (
    select
        lines.line_key,
        lines.file_sha256,
        lines.statement_type,
        lines.statement_reference,
        ours.account_number as bank_account,
        ours.account_kind,
        lines.entry_reference,
        coalesce(nullif(lines.entry_reference, ''), lines.line_key) as entry_key,
        lines.end_to_end_reference,
        lines.bank_transaction,
        lines.remittance,
        lines.currency,
        lines.entry_side,
        lines.amount,
        assets.asset_id,
        assets.unit_digits,
        case when lines.booking_date > date '1970-01-01' then lines.booking_date else lines.value_date end
            as movement_date
    from {{ ref('stg_bank_statement_lines') }} as lines
    inner join {{ ref('our_accounts') }} as ours
        on lines.bank_account = ours.account_number and lines.currency = ours.currency
    inner join {{ ref('stg_assets') }} as assets
        on lines.currency = assets.symbol and assets.asset_class = 'CURRENCY'
    where lines.entry_status in ('BOOK', '')
),

known as (
    select booked.*
    from booked
    cross join {{ ref('int_as_of') }} as as_of
    where booked.movement_date <= as_of.as_of_date
),

speaking as (
    select distinct
        bank_account,
        entry_key,
        first_value(file_sha256) over entry_reports as file_sha256,
        first_value(statement_reference) over entry_reports as statement_reference
    from known
    window entry_reports as (
        partition by bank_account, entry_key
        order by
            case statement_type when 'STATEMENT' then 1 when 'ADVICE' then 2 else 3 end,
            movement_date,
            file_sha256,
            statement_reference
    )
)

select
    known.line_key,
    known.bank_account,
    known.account_kind,
    known.entry_key,
    row_number() over (partition by known.bank_account, known.entry_key order by known.line_key)
        as occurrence_number,
    known.end_to_end_reference,
    known.bank_transaction,
    known.remittance,
    known.currency,
    known.asset_id,
    -- positive is a credit for us
    case known.entry_side when 'CREDIT' then 1 else -1 end
    * {{ whole_minor('known.amount', 'known.unit_digits') }} as signed_minor,
    known.movement_date
from known
inner join speaking
    on
        known.bank_account = speaking.bank_account
        and known.entry_key = speaking.entry_key
        and known.file_sha256 = speaking.file_sha256
        and known.statement_reference = speaking.statement_reference
