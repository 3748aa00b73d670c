"""Pure functions over frozen structs: no orchestrator, no warehouse."""
