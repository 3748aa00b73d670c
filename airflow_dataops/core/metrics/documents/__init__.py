"""Files made from the catalogue: a page of the docs, Prometheus rules, a Grafana dashboard."""
