{% set before = load_relation(this) %}
select '{{ "there" if before else "new" }}' as how
