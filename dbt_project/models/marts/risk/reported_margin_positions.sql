-- What each reported margin was computed of: lots held and reserved for, at the mark.
select
    positions.business_date,
    positions.account_id,
    positions.instrument_id,
    instruments.symbol,
    instruments.instrument_class,
    instruments.currency,
    positions.held_lots,
    positions.open_buy_lots,
    positions.open_sell_lots,
    positions.open_loss_minor,
    positions.mark_ticks,
    (positions.held_lots * positions.mark_ticks * instruments.tick_value_minor)::bigint as value_minor,
    positions.cost_minor,
    last_reports.report_sequence
from {{ ref('stg_margin_report_positions') }} as positions
inner join {{ ref('int_margin_reports_last') }} as last_reports
    on positions.cause_sequence = last_reports.report_sequence
inner join {{ ref('int_instruments') }} as instruments on positions.instrument_id = instruments.instrument_id
