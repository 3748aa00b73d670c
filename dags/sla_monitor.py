"""An airflow DAG that watches SLAs, where Airflow's REST API is known by connection `airflow_api`.

`docker-compose.yaml` has that connection. `make demo`, which has no SLAs, does without.
"""

import os

from airflow_dataops import sla_monitor_dag

if os.environ.get("AIRFLOW_CONN_AIRFLOW_API"):
    dag = sla_monitor_dag(is_paused_upon_creation=False)
