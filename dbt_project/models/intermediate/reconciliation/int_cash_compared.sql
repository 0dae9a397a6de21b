-- Ledger against bank, one row a bank account and reference. The first cause that fits is told.
with lines as (
    select
        *,
        regexp_full_match(end_to_end_reference, '(OB|WD|DP|RD|BL|CC|FN|CM|SU|DI|DR)[0-9]+') as is_referenced,
        regexp_matches(bank_transaction, 'CHRG|FEES|COMM') or regexp_matches(lower(remittance), '\b(fees?|charges?)\b')
            as is_fee,
        row_number() over (
            partition by bank_account, end_to_end_reference, signed_minor, movement_date order by line_key
        ) as likeness_number
    from {{ ref('int_bank_lines_deduplicated') }}
),

theirs as (
    select
        bank_account,
        case when is_referenced then end_to_end_reference else entry_key end as reference,
        any_value(currency) as currency,
        sum(signed_minor)::decimal(38, 0) as told_minor,
        list(signed_minor) filter (likeness_number > 1) as repeated_minor,
        count(*) as line_count,
        max(occurrence_number) as occurrence_count,
        bool_or(is_referenced) as is_referenced,
        bool_or(is_fee) as is_fee,
        min(movement_date) as first_date
    from lines
    group by bank_account, case when is_referenced then end_to_end_reference else entry_key end
),

-- how far each bank account's statements reach
coverage as (
    select
        bank_account,
        max(day) as covered_date
    from (
        select bank_account, balance_date as day from {{ ref('stg_bank_balances') }}
        union all
        select bank_account, movement_date as day from {{ ref('int_bank_lines_deduplicated') }}
    )
    group by bank_account
),

compared as (
    select
        coalesce(ours.bank_account, theirs.bank_account) as bank_account,
        coalesce(ours.reference, theirs.reference) as reference,
        coalesce(ours.currency, theirs.currency) as currency,
        ours.expected_minor,
        theirs.told_minor,
        ours.movements_minor,
        theirs.repeated_minor,
        theirs.line_count,
        theirs.occurrence_count,
        theirs.is_referenced,
        theirs.is_fee,
        least(ours.first_date, theirs.first_date) as opened_date,
        ours.last_date
    from {{ ref('int_cash_expected') }} as ours
    full outer join theirs
        on ours.bank_account = theirs.bank_account and ours.reference = theirs.reference
),

judged as (
    select
        compared.*,
        case
            when compared.expected_minor is null and compared.is_referenced then 'MISSING_OURS'
            when compared.expected_minor is null and compared.told_minor < 0 and compared.is_fee then 'BANK_FEE'
            when compared.expected_minor is null and compared.told_minor > 0 then 'UNIDENTIFIED_RECEIPT'
            when compared.expected_minor is null then 'MISSING_OURS'
            when compared.told_minor = compared.expected_minor then 'NONE'
            -- a movement of the day itself waits for its statement; an older one does not
            when
                compared.told_minor is null
                and compared.last_date >= as_of.as_of_date
                and coalesce(coverage.covered_date, date '1970-01-01') < compared.last_date
                then 'NOT_YET'
            when compared.told_minor is null then 'MISSING_THEIRS'
            when compared.occurrence_count > 1 then 'DUPLICATE'
            when
                list_contains(compared.repeated_minor, (compared.told_minor - compared.expected_minor)::bigint)
                then 'DUPLICATE'
            -- one of several movements under the reference was not told
            when
                compared.line_count < len(compared.movements_minor)
                and list_contains(
                    compared.movements_minor, (compared.expected_minor - compared.told_minor)::bigint
                )
                then 'MISSING_THEIRS'
            else 'AMOUNT'
        end as cause
    from compared
    cross join {{ ref('int_as_of') }} as as_of
    left join coverage on compared.bank_account = coverage.bank_account
)

select
    'cash' as stage,
    reference,
    bank_account as place,
    currency as measure,
    coalesce(expected_minor, 0)::decimal(38, 0) as our_value,
    coalesce(told_minor, 0)::decimal(38, 0) as their_value,
    case cause when 'NONE' then 'MATCHED' when 'NOT_YET' then 'OPEN' else 'BREAK' end as state,
    cause,
    opened_date
from judged
-- a movement that was taken back in full under one reference leaves nothing for the bank to tell
where coalesce(expected_minor, 0) <> 0 or told_minor is not null
