"""The demo's pipelines: every manifest in the folder `manifests` becomes a DAG."""

from airflow_dataops import load_dags

load_dags("manifests", globals(), conn_id="warehouse")
