"""The oracle: dbt itself.

A project is built twice, day by day, on two DuckDB files of one name, or on two Postgres
databases, with the same raw data:

- by `dbt build` (`dbt_side`), with `dbt source freshness` after it;
- by our engine (`engine_side`) from what `airflow-dataops compile` wrote: every node that dbt
  ran, in the order of the graph, through `core.execution`. What the reader says only dbt can run
  (Python models, custom materializations, Jinja in hooks, ...) is run by dbt there too.

There are four runs: from nothing with `--full-refresh`, two more days, and the last day again
with `--full-refresh`. The project about the run itself has vars in each of them, a backfill of five
days after them, and Python's clock at days of its own. After each run these must be equal:

- every table and view outside of the raw data: its kind, the names and types of its columns in
  their order, and its rows as a multiset (`state`); there, too, comments, constraints and grants;
- the outcome of every node and hook, and the status and number of failures of every test;
- the status of every source's freshness.

Times that the run itself took from the clock of the database cannot be equal. Each is replaced by
its rank among the times of its run, and hashes in a row with such a time by a constant; the id of a
run by its number.

What is not compared: the words of messages, unit tests (only dbt runs them), and which nodes are
skipped after a failure (the plan's tests do that): what dbt skipped is skipped here too.
"""
