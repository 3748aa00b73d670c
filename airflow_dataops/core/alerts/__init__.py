"""Who is told what, when: alerts, routes, quiet hours, escalation. Pure functions."""
