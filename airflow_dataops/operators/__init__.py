"""One class per verb."""
