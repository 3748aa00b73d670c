"""SLAs on Airflow's DAGs: how they are set, and the deadlines that watch them."""
