{# The text of a base-37 number (schemas/packed.py): twelve digits, blank ends the text. #}
{% macro unpack_text(column) -%}
rtrim(
    concat(
        {%- for place in range(11, -1, -1) %}
        substr(' 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', ({{ column }} // {{ 37 ** place }} % 37 + 1)::bigint, 1)
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    )
)
{%- endmacro %}
