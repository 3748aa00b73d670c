"""DAGs as files of Python that people read, change and keep in git."""
