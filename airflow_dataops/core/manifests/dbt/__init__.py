"""Reads dbt's manifest.json.

Source of the format: https://schemas.getdbt.com/dbt/manifest/v12.json (and v10, v11), with
the meaning of the fields at https://docs.getdbt.com/reference/artifacts/manifest-json. The
manifest that `airflow-dataops compile` writes is one of these with fields of ours, listed at
`wire.Node`.
"""
