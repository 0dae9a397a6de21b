with latest as (
    select
        margins.account_id,
        arg_max(margins.equity_minor, margins.sequence) as equity_minor,
        arg_max(margins.initial_margin_minor, margins.sequence) as initial_margin_minor,
        max(margins.sequence) as sequence,
        max(margins.occurred_at) as occurred_at
    from {{ ref('stg_margins') }} as margins
    cross join {{ ref('int_as_of') }} as as_of
    where margins.sequence <= as_of.as_of_sequence
    group by margins.account_id
)

select
    latest.account_id,
    accounts.account_class,
    latest.equity_minor,
    latest.initial_margin_minor,
    (latest.equity_minor - latest.initial_margin_minor)::bigint as excess_minor,
    latest.equity_minor < latest.initial_margin_minor as is_deficient,
    latest.sequence,
    latest.occurred_at
from latest
inner join {{ ref('stg_accounts') }} as accounts on latest.account_id = accounts.account_id
