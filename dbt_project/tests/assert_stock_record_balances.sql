-- Each unit of a security has one owner and one place. Source: 17 CFR 240.17a-3(a)(5).
select asset_id, sum(trade_date_units) as trade_date_units, sum(settlement_date_units) as settlement_date_units
from {{ ref('stock_record') }}
group by asset_id
having sum(trade_date_units) <> 0 or sum(settlement_date_units) <> 0
