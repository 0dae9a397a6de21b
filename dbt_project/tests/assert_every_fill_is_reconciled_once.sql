-- Each side of each execution stands behind one row of the execution stage: instructed, or still open.
select sides.fill_id, sides.account_id, sides.side, count(matches.match_key) as row_count
from {{ ref('int_fill_sides') }} as sides
left join {{ ref('reconciliation_matches') }} as matches
    on
        matches.stage = 'execution'
        and matches.reference = sides.account_id || '/' || sides.instrument_id || '/' || sides.trade_date
where not sides.is_contract
group by sides.fill_id, sides.account_id, sides.side
having count(matches.match_key) <> 1
