"""Alembic's scripts. Each is run once; what was released is never changed."""
