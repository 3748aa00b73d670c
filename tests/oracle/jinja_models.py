"""Random models: SQL with all that a model's Jinja may do to values of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

TIMES = (
    "run_started_at",
    "run_started_at.astimezone(modules.pytz.timezone('Europe/Berlin'))",
    "(run_started_at - modules.datetime.timedelta(days=3))",
    "(modules.datetime.timedelta(hours=1) + run_started_at)",
    "run_started_at.replace(hour=0, minute=0, second=0, microsecond=0)",
)
TEXTS = (
    "var('run_day')",
    "var('region', 'eu')",
    "var('fixed')",
    "invocation_id",
    "run_started_at.date()",
    "run_started_at.year",
    "run_started_at.isoweekday()",
    "modules.datetime.datetime.now().strftime('%Y-%m')",
    "modules.datetime.date.today().isoformat()",
    "target.name",
    "target.schema",
    "env_var('VALUES_PLACE')",
    "flags.FULL_REFRESH",
    "should_full_refresh()",
    "execute",
    "'plain'",
)
FORMATS = ("%Y-%m-%d", "%d/%m/%Y %H:%M", "%j", "%U")
CHANGES = (
    "{x} ~ 'a'",
    "'<' ~ {x} ~ '>'",
    "({x}) | string",
    "'%s' % ({x})",
    "'{{}}-{{}}'.format({x}, 1)",
    "'{{:>20}}'.format({x} ~ '')",
    "({x} ~ '') | upper",
    "({x} ~ '') | replace('0', 'o')",
    "({x} ~ '') | length",
    "({x} ~ '')[:4]",
    "({x} ~ '').split('-')[0]",
    "({x} ~ '').endswith('5')",
    "({x} ~ '') | trim",
    "'y' if {x} else 'n'",
    "'y' if {x} ~ '' == '2026-01-05' else 'n'",
    "'y' if '2026' in ({x} ~ '') else 'n'",
    "'y' if {x} is defined else 'n'",
    "'y' if ({x} ~ '') is string else 'n'",
    "({x}) | default('d')",
    "({x}) | default('d', true)",
    "[{x}, 'b'] | join('-')",
    "[{x}, 'b'] | length",
    "([{x}, 'b'] | first) ~ ''",
    "([{x}, 'b'] | last) ~ ''",
    "{{'k': {x}}}['k']",
    "{{'k': {x}}}.get('k', 'z')",
    "dict(k={x}).k",
    "namespace(k={x}).k",
    "({x} ~ 'c') + 'd'",
    "wrapped({x})",
    "returned({x})",
    "measured({x})",
    "tojson([{x} ~ '']) | length",
    "modules.re.sub('[0-9]', 'n', {x} ~ '')",
    "({x} ~ '') | reverse",
    "({x} ~ '') | list | length",
    "({x}, 'b')[0]",
    "{x} or 'b'",
    "{x} and 'b'",
    "not {x}",
    "({x} ~ '') < '2026-01-20'",
)
MACROS = """
{% macro wrapped(x) %}[{{ x }}]{% endmacro %}
{% macro returned(x) %}{{ return(x ~ '!') }}{% endmacro %}
{% macro measured(x) %}{% if (x ~ '') | length > 3 %}long{% else %}short{% endif %}{% endmacro %}
{% macro around() %}({{ caller('in') }}){% endmacro %}
"""
FRAMES = (
    "'{{{{ {e} }}}}'",
    "'a {{{{ {e} }}}} b'",
    "{{% set v %}}{{{{ {e} }}}}{{% endset %}}'{{{{ v }}}}'",
    "{{% set v = {e} %}}'{{{{ v }}}}'",
    "{{% set v %}}{{{{ {e} }}}}{{% endset %}}'{{{{ 'y' if v == '2026-01-05' else v }}}}'",
    "{{% set v = [] %}}{{% do v.append({e}) %}}'{{% for i in v %}}{{{{ i }}}}{{% endfor %}}'",
    "{{% for c in ({e} ~ '') %}}{{{{ loop.index }}}} + {{% endfor %}}0",
    "{{% if {e} %}}1{{% else %}}2{{% endif %}}",
    "{{% if ({e} ~ '') == '2026-01-05' %}}1{{% else %}}2{{% endif %}}",
    "{{% call(y) around() %}}'{{{{ y }}}}{{{{ {e} }}}}'{{% endcall %}}",
    "{{% filter upper %}}'{{{{ {e} }}}}'{{% endfilter %}}",
    "{{{{ dbt.string_literal({e}) }}}}",
    '{{{{ "\'" ~ ({e}) ~ "\'" }}}}',
    "'x' /* {{{{ {e} }}}} */",
    "1 as \"n {{{{ run_started_at.year }}}}\", '{{{{ {e} }}}}'",
    "{{{{ run_started_at.year }}}} + {{{{ var('n') }}}}",
)


def models(random: Random, count: int) -> Iterator[tuple[str, str]]:
    """Yield names and code of models."""
    for number in range(count):
        columns = [f"{_column(random)} as c{place}" for place in range(random.randint(1, 3))]
        sql = f"select {', '.join(columns)} from {{{{ source('raw', 'days') }}}}"
        if random.random() < 0.3:
            sql += " where d <= '{{ var('run_day') }}'"
        if random.random() < 0.2:
            sql = "{{ config(materialized='incremental') }}" + sql
            sql += "{% if is_incremental() %} where d = '{{ var('run_day') }}' {% endif %}"
            sql = sql.replace(" where d <= '{{ var('run_day') }}'{% if", "{% if")
        yield f"m{number}", sql


def _column(random: Random) -> str:
    return random.choice(FRAMES).format(e=_expression(random))


def _expression(random: Random) -> str:
    if random.random() < 0.3:
        time, form = random.choice(TIMES), random.choice(FORMATS)
        found = random.choice((f"{time}.strftime('{form}')", time, f"{time}.isoformat()"))
    else:
        found = random.choice(TEXTS)
    while random.random() < 0.45:
        found = "(" + random.choice(CHANGES).format(x=found) + ")"
    return found
