{# A day, or the day told as of where it lies after: an event of the evening may be of the next day in UTC. #}
{% macro no_later_than(day, as_of) -%}
case when {{ day }} > {{ as_of }} then {{ as_of }} else {{ day }} end
{%- endmacro %}
