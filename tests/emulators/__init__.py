"""Emulators of warehouses that cannot be had without an account, and what each cannot do."""
