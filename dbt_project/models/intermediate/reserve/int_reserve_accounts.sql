-- How the reserve formula looks at each account: its class, and with whom it counts as one customer.
-- Source: 17 CFR 240.15c3-3a, Notes E(4) and E(5).
with linked as (
    select
        links.account_id,
        arg_max(links.household_id, links.sequence) as household_id,
        arg_max(links.is_affiliate, links.sequence) as is_affiliate
    from {{ ref('stg_account_links') }} as links
    cross join {{ ref('int_as_of') }} as as_of
    where links.sequence <= as_of.as_of_sequence
    group by links.account_id
)

select
    accounts.account_id,
    accounts.account_class,
    coalesce(linked.household_id, 0)::bigint as household_id,
    coalesce(linked.is_affiliate, false) as is_affiliate
from {{ ref('stg_accounts') }} as accounts
cross join {{ ref('int_as_of') }} as as_of
left join linked on accounts.account_id = linked.account_id
where accounts.sequence <= as_of.as_of_sequence and accounts.account_class <> 'STREET'
