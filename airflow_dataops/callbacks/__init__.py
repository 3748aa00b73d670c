"""Functions and notifiers for `on_sla_miss`, `on_failure_callback` and deadlines.

Airflow keeps the dotted paths of callbacks, so everything here is at the top of its module.
"""
