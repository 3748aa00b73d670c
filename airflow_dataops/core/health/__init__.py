"""Is the data there, fresh, whole, right, on time? Configs, checks, verdicts, compliance."""
