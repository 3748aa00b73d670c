"""The only place that writes SQL."""
