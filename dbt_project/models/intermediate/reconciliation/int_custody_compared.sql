-- Our custody balances against the custodian's statement of each day; the latest statement speaks.
with spoken as (
    select
        holdings.safekeeping_account,
        holdings.statement_date,
        arg_max(holdings.file_sha256, (files.ingested_at, holdings.file_sha256)) as file_sha256
    from {{ ref('stg_custody_holdings') }} as holdings
    inner join {{ ref('our_accounts') }} as ours
        on holdings.safekeeping_account = ours.account_number and ours.account_kind = 'CUSTODY'
    cross join {{ ref('int_as_of') }} as as_of
    left join {{ ref('stg_ingested_files') }} as files on holdings.file_sha256 = files.file_sha256
    where holdings.statement_date <= as_of.as_of_date
    group by holdings.safekeeping_account, holdings.statement_date
),

theirs as (
    select
        spoken.safekeeping_account,
        spoken.statement_date,
        holdings.isin,
        sum(holdings.holding_units)::decimal(38, 0) as units
    from spoken
    inner join {{ ref('stg_custody_holdings') }} as holdings
        on
            spoken.safekeeping_account = holdings.safekeeping_account
            and spoken.statement_date = holdings.statement_date
            and spoken.file_sha256 = holdings.file_sha256
    group by spoken.safekeeping_account, spoken.statement_date, holdings.isin
),

ours as (
    select
        spoken.safekeeping_account,
        spoken.statement_date,
        coalesce(nullif(assets.isin, ''), assets.symbol) as isin,
        sum(entries.signed_units)::decimal(38, 0) as units
    from spoken
    inner join {{ ref('int_ledger_entries') }} as entries
        on entries.account_kind = 'CUSTODY' and entries.value_date <= spoken.statement_date
    inner join {{ ref('stg_assets') }} as assets on entries.asset_id = assets.asset_id
    -- a custodian that never tells of tokens keeps none for us
    where
        assets.asset_class = 'SECURITY'
        or (assets.asset_class = 'TOKEN' and assets.symbol in (select isin from theirs))
    group by spoken.safekeeping_account, spoken.statement_date, coalesce(nullif(assets.isin, ''), assets.symbol)
),

compared as (
    select
        coalesce(ours.safekeeping_account, theirs.safekeeping_account) as safekeeping_account,
        coalesce(ours.statement_date, theirs.statement_date) as statement_date,
        coalesce(ours.isin, theirs.isin) as isin,
        coalesce(ours.units, 0) as our_units,
        coalesce(theirs.units, 0) as their_units,
        theirs.units is null as is_untold
    from ours
    full outer join theirs
        on
            ours.safekeeping_account = theirs.safekeeping_account
            and ours.statement_date = theirs.statement_date
            and ours.isin = theirs.isin
),

dated as (
    select
        *,
        max(case when our_units = their_units then statement_date end) over security as last_match_date,
        max(statement_date) over (partition by safekeeping_account) as latest_date
    from compared
    window security as (partition by safekeeping_account, isin)
),

opened as (
    select
        safekeeping_account,
        isin,
        min(statement_date) as opened_date
    from dated
    where our_units <> their_units and statement_date > coalesce(last_match_date, date '1970-01-01')
    group by safekeeping_account, isin
),

-- what would be in custody if the clearing house had moved all that is due and unconfirmed
unconfirmed as (
    select
        obligations.isin,
        sum(case obligations.obligation_side when 'RECEIVE' then 1 else -1 end * obligations.open_units) as units
    from {{ ref('int_obligations_current') }} as obligations
    inner join {{ ref('int_settlement_compared') }} as settlement
        on obligations.obligation_reference = settlement.reference
    where settlement.state = 'BREAK' and obligations.isin <> ''
    group by obligations.isin
),

known as (
    select distinct coalesce(nullif(isin, ''), symbol) as isin
    from {{ ref('stg_assets') }}
)

select
    'custody' as stage,
    dated.isin as reference,
    dated.safekeeping_account as place,
    dated.isin as measure,
    dated.our_units as our_value,
    dated.their_units as their_value,
    case when dated.our_units = dated.their_units then 'MATCHED' else 'BREAK' end as state,
    case
        when dated.our_units = dated.their_units then 'NONE'
        when known.isin is null then 'MISSING_OURS'
        -- an empty holding is not told: unconfirmed deliveries that emptied it explain the silence
        when dated.is_untold and dated.our_units + coalesce(unconfirmed.units, 0) = 0 then 'QUANTITY'
        when dated.is_untold then 'MISSING_THEIRS'
        else 'QUANTITY'
    end as cause,
    coalesce(opened.opened_date, dated.statement_date) as opened_date
from dated
left join opened on dated.safekeeping_account = opened.safekeeping_account and dated.isin = opened.isin
left join unconfirmed on dated.isin = unconfirmed.isin
left join known on dated.isin = known.isin
where dated.statement_date = dated.latest_date and (dated.our_units <> 0 or dated.their_units <> 0)
