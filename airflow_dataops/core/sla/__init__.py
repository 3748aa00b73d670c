"""What has to be done by when, and whether it was. Pure functions."""
