"""What is measured, under which names and tags, and how it is summed; no clock, no network."""
