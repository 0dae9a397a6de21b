select risks.*
from {{ ref('stg_instrument_risks') }} as risks
cross join {{ ref('int_as_of') }} as as_of
where risks.sequence <= as_of.as_of_sequence
qualify row_number() over (partition by risks.instrument_id order by risks.sequence desc) = 1
