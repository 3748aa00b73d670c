{% test rows_at_least(model, least) %}
{{ config(severity='error') }}
select {{ least }} - count(*) as missing from {{ model }} having count(*) < {{ least }} -- end
{% endtest %}
