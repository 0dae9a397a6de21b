-- Positions are told of accounts whose margin is told, by the same report.
select
    positions.business_date,
    positions.account_id
from {{ ref('reported_margin_positions') }} as positions
left join {{ ref('reported_margins') }} as margins
    on
        positions.business_date = margins.business_date
        and positions.account_id = margins.account_id
        and positions.report_sequence = margins.report_sequence
where margins.account_id is null
