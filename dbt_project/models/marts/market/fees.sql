-- What each account paid for its executions and was paid for them: one row an account, trade date and instrument.
select
    sides.account_id,
    accounts.account_class,
    sides.trade_date,
    sides.instrument_id,
    instruments.symbol,
    instruments.currency,
    count(*) as execution_count,
    coalesce(sum(abs(sides.gained_minor)) filter (where sides.liquidity = 'TAKER'), 0)::bigint as taker_notional_minor,
    coalesce(sum(abs(sides.gained_minor)) filter (where sides.liquidity = 'MAKER'), 0)::bigint as maker_notional_minor,
    coalesce(sum(abs(sides.gained_minor)) filter (where sides.liquidity = 'AUCTION'), 0)::bigint
        as auction_notional_minor,
    coalesce(sum(sides.fee_minor) filter (where sides.liquidity = 'TAKER'), 0)::bigint as taker_fee_minor,
    coalesce(sum(sides.fee_minor) filter (where sides.liquidity = 'MAKER'), 0)::bigint as maker_fee_minor,
    coalesce(sum(sides.fee_minor) filter (where sides.liquidity = 'AUCTION'), 0)::bigint as auction_fee_minor,
    sum(greatest(sides.fee_minor, 0))::bigint as charged_minor,
    sum(greatest(-sides.fee_minor, 0))::bigint as rebated_minor
from {{ ref('int_fill_sides') }} as sides
inner join {{ ref('stg_accounts') }} as accounts on sides.account_id = accounts.account_id
inner join {{ ref('int_instruments') }} as instruments on sides.instrument_id = instruments.instrument_id
group by
    sides.account_id,
    accounts.account_class,
    sides.trade_date,
    sides.instrument_id,
    instruments.symbol,
    instruments.currency
