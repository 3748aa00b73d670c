"""The ledger in a database: SQLite or Postgres, through SQLAlchemy; its schema by Alembic."""
