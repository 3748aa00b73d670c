"""Bulk paths: how each engine gives and takes many rows, as Arrow record batches."""
