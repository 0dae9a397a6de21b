{# Exact arithmetic. DuckDB divides decimals and takes powers as doubles, so neither is used near money. #}

{# Ten to the power of a column of decimal digits, 0 to 18, as a hugeint. #}
{% macro ten_to(digits) -%}
('1' || repeat('0', ({{ digits }})::integer))::hugeint
{%- endmacro %}

{# Smallest units as a decimal amount: the units times 10^-digits, 0 to 18 digits, exact. #}
{% macro as_decimal(units, digits) -%}
(({{ units }})::decimal(20, 0) * case ({{ digits }})::integer when 0 then 1::decimal(19, 18)
    else ('0.' || repeat('0', ({{ digits }})::integer - 1) || '1')::decimal(19, 18) end)::decimal(38, 18)
{%- endmacro %}

{# The quotient of two integers rounded up; the divisor is positive and the dividend not negative. #}
{% macro ceiling_of(dividend, divisor) -%}
((({{ dividend }}) + ({{ divisor }}) - 1) // ({{ divisor }}))
{%- endmacro %}
