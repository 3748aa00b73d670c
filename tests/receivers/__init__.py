"""Real receivers of metrics: each is what a user would run, or decodes what one would get."""
