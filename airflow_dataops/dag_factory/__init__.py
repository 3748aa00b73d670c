"""Plan -> DAG."""
