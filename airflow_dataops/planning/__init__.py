"""Arguments -> the plan of a manifest and its parts: what every orchestrator's factory reads."""
