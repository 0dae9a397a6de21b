-- In each asset every debit has its credit, by trade date and by settlement date alike.
select asset_id, sum(trade_date_units) as trade_date_units, sum(settlement_date_units) as settlement_date_units
from {{ ref('balances') }}
group by asset_id
having sum(trade_date_units) <> 0 or sum(settlement_date_units) <> 0
