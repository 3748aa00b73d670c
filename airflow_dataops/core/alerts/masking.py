"""Masking as alerts use it; see `core.masking`."""

from airflow_dataops.core.masking import MASK, mask, mask_all

__all__ = ["MASK", "mask", "mask_all"]
