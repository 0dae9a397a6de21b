{# Copy the marts of a run to Parquet for readers: DuckDB admits one process, the files admit any.
   A run in which a model or a test failed publishes nothing, so readers keep the last sound copy. #}
{% macro publish_marts(results) %}
    {% if execute and flags.WHICH in ('build', 'run') %}
        {% set unsound = results | selectattr('status', 'in', ['error', 'fail', 'skipped', 'runtime error']) | list %}
        {% if unsound %}
            {{ log('marts not published: ' ~ (unsound | length) ~ ' nodes failed or were skipped', info=true) }}
        {% else %}
            {% for result in results if result.node.resource_type == 'model' and result.node.schema == 'marts' %}
                {% set path = env_var('ONEBOOK_HOME', '../.onebook') ~ '/warehouse/marts'
                    ~ '/' ~ result.node.name ~ '.parquet' %}
                {% call statement('publish_' ~ result.node.name) %}
                    copy {{ result.node.relation_name }} to '{{ path | replace("'", "''") }}' (format parquet)
                {% endcall %}
            {% endfor %}
        {% endif %}
    {% endif %}
{% endmacro %}
