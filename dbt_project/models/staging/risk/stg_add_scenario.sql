-- Written by `make generate` from schemas/; edit the declaration, not this file.
select
    sequence,
    make_timestamp_ns(received_at_ns) as received_at,
    scenario_set_id,
    scenario_no,
    case scenario_group_code when 1 then 'HISTORICAL' when 2 then 'STRESS' when 3 then 'EXTREME' end as scenario_group,
    {{ unpack_text('name_packed') }} as name,
    damping_ppm
from {{ source('lake_risk', 'add_scenario') }}
where sequence <= {{ watermark() }}
