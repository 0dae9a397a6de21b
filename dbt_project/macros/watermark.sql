{# The highest sequence that is whole in every lake table: nothing above it may be read. #}
{% macro watermark() -%}
(
    select coalesce(min(reached), 0)
    from (
        select max(watermark_count) as reached
        from {{ source('lake_external', 'lake_watermarks') }}
        group by table_name
    )
)
{%- endmacro %}
