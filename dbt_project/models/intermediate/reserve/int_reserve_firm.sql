-- What the firm says of its capital, in US cents. No row while it says nothing.
-- Source: 17 CFR 240.15c3-3a Note E(5), 240.15c3-1.
select
    {{ var('reserve_tentative_net_capital_minor') }}::bigint as tentative_net_capital_minor,
    null::bigint as net_capital_minor,
    null::bigint as aggregate_indebtedness_minor
from {{ ref('int_as_of') }}
