-- What each account had and needed at the end of each business day, as the engine reported it last.
select
    reports.business_date,
    reports.account_id,
    accounts.account_class,
    coalesce(terms.is_retail, false) as is_retail,
    reports.margin_state,
    reports.equity_minor,
    reports.initial_margin_minor,
    reports.maintenance_margin_minor,
    (reports.equity_minor - reports.initial_margin_minor)::bigint as excess_minor,
    (reports.equity_minor - reports.maintenance_margin_minor)::bigint as maintenance_excess_minor,
    last_reports.report_sequence,
    reports.occurred_at as reported_at
from {{ ref('stg_margin_reports') }} as reports
inner join {{ ref('int_margin_reports_last') }} as last_reports on reports.cause_sequence = last_reports.report_sequence
inner join {{ ref('stg_accounts') }} as accounts on reports.account_id = accounts.account_id
asof left join {{ ref('stg_account_margins') }} as terms
    on
        reports.account_id = terms.account_id
        and reports.sequence > terms.sequence
