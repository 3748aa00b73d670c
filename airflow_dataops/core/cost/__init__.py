"""What queries cost, and whose they are."""
