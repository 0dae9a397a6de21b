{# Exact arithmetic. DuckDB divides decimals and takes powers as doubles, so neither is used near money. #}

{# Ten to the power of a column of decimal digits, 0 to 18, as a hugeint. #}
{% macro ten_to(digits) -%}
('1' || repeat('0', ({{ digits }})::integer))::hugeint
{%- endmacro %}

{# Smallest units as a decimal amount: the units times 10^-digits, 0 to 18 digits, exact. #}
{% macro as_decimal(units, digits) -%}
(({{ units }})::decimal(19, 0) * case ({{ digits }})::integer when 0 then 1::decimal(19, 18)
    else ('0.' || repeat('0', ({{ digits }})::integer - 1) || '1')::decimal(19, 18) end)::decimal(38, 18)
{%- endmacro %}

{# A price in ticks as quote currency per whole unit of the base asset, cut to eight decimals. #}
{% macro price_of(ticks, instrument) -%}
{{ as_decimal(
    ticks ~ "::hugeint * " ~ instrument ~ ".tick_value_minor * " ~ ten_to(instrument ~ ".base_digits + 8")
    ~ " // (" ~ instrument ~ ".lot_units * " ~ ten_to(instrument ~ ".currency_digits") ~ ")", "8"
) }}
{%- endmacro %}

{# The quotient of two integers rounded up; the divisor is positive and the dividend not negative. #}
{% macro ceiling_of(dividend, divisor) -%}
((({{ dividend }}) + ({{ divisor }}) - 1) // ({{ divisor }}))
{%- endmacro %}

{# A decimal amount as whole minor units. Fails on a fraction of a minor unit instead of rounding it away. #}
{% macro whole_minor(amount, digits) -%}
case
    when
        ({{ amount }}) * {{ ten_to(digits) }}::decimal(15, 0)
        = trunc(({{ amount }}) * {{ ten_to(digits) }}::decimal(15, 0))
        then (({{ amount }}) * {{ ten_to(digits) }}::decimal(15, 0))::bigint
    else error('an amount of ' || ({{ amount }})::varchar || ' is not in whole minor units')::bigint
end
{%- endmacro %}
