"""Checks of the rows of a table: what is asked, in how few scans, and what the answers mean."""
