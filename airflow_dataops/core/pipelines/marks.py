"""The words by which a file's values stand for objects. A warm parse needs no more than these."""

from __future__ import annotations

IMPORT, NEW, OUTPUT, FILE = "$import", "$new", "$output", "$file"
DURATION, DATETIME, ASSET = "$duration", "$datetime", "$asset"
MARKS = (IMPORT, NEW, OUTPUT, FILE, DURATION, DATETIME, ASSET)

DURATIONS = frozenset(
    {"retry_delay", "max_retry_delay", "execution_timeout", "dagrun_timeout", "execution_delta"}
)
"""Arguments that are durations wherever they are."""
DATES = frozenset({"start_date", "end_date"})
CALLABLE = "_callable"
"""The end of the names of arguments that are functions, named by their import paths."""
