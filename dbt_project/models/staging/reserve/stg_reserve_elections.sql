-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    cause_sequence,
    make_timestamp_ns(occurred_at_ns) as occurred_at,
    case capital_method_code when 1 then 'ALTERNATIVE' when 2 then 'BASIC' end as capital_method,
    date '1970-01-01' + voluntary_notice_epoch_day::integer as voluntary_notice_date,
    date '1970-01-01' + voluntary_begin_epoch_day::integer as voluntary_begin_date,
    date '1970-01-01' + voluntary_end_epoch_day::integer as voluntary_end_date,
    date '1970-01-01' + exit_notice_epoch_day::integer as exit_notice_date,
    date '1970-01-01' + required_begin_epoch_day::integer as required_begin_date,
    operator_id,
    is_monthly_customer = 1 as is_monthly_customer,
    is_monthly_pab = 1 as is_monthly_pab,
    has_customer_accounts = 1 as has_customer_accounts,
    has_own_trading = 1 as has_own_trading
from {{ source('lake_reserve', 'reserve_elections') }}
where sequence <= {{ watermark() }}
