"""Column types against dbt's own reader, on made-up columns."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import agate
from dbt_common.clients.agate_helper import Integer, build_type_tester
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_dataops.core.execution.csv_table import read_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

NULLS = st.sampled_from(["", " ", "null", " NULL"])
DIGITS = st.sampled_from(
    [
        "1",
        "-2",
        "+3",
        "007",
        "1.0",
        "5.",
        ".5",
        "1e3",
        "1E-2",
        "1_000",
        "1,000",
        "$5",
        "-$5",
        "5%",
        "12345678901234567890.5",
        "1e400",
        "nan",
        "inf",
        "-",
        "%",
        "$",
        "0x10",
        "--1",
        "1 2",
        "٣",
        " 42 ",
        "\xa042",
        "1.0000000000000000000000000000000001",
    ]
)
DAYS = st.sampled_from(
    ["2020-01-02", "2020-1-2", " 2020-01-02 ", "2020-02-30", "20200102", "2020/01/02", "0001-01-01"]
)
TIMES = st.sampled_from(
    [
        "2020-01-02 03:04:05",
        "2020-1-2 3:4:5",
        "2020-01-02  03:04:05",
        "2020-01-02 03:04",
        "2020-01-02T03:04:05",
        "2020-01-02T03:04:05Z",
        "2020-01-02T03:04:05+02:00",
        "2020-01-02T03:04:05.5",
        "2020-01-02T03:04:05,5",
        "2020-01-02T03:04",
        "20200102T030405",
        "2020-W01-2T03:04:05",
        "2020-01-02T",
        "T03:04:05",
        "2020-01-02t03:04:05",
        "TT",
        "2020T",
        "2020-01-02T03:04:05-0500",
        "2020-01-02T03:04:05.123456789",
        "2020-01-02T25:00:00",
    ]
)
FLAGS = st.sampled_from(["true", "false", "True", " FALSE ", "t", "yes", "0"])
# Without commas: agate takes a lone one for a boolean NULL, we for text.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\0\r\n",'), max_size=6)
COLUMN = st.one_of(
    *(
        st.lists(st.one_of(NULLS, kind), max_size=6)
        for kind in (DIGITS, DAYS, TIMES, FLAGS, WORDS, st.one_of(DAYS, TIMES))
    )
)


@given(COLUMN)
@example(["2020-01-02", "2020-01-02T03:04:05"])
@settings(max_examples=500, deadline=None)
def test_a_column_has_the_type_that_dbt_infers(values: list[str]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([("id", "v"), *((1, value) for value in values)])
    table = read_seed(file.getvalue(), where="a file")
    assert table.columns[1].type == dbt_type(values)


def dbt_type(values: Sequence[str]) -> str:
    rows = [("1", value) for value in values]
    table = agate.Table(rows, ["id", "v"], column_types=build_type_tester(()))
    match table.column_types[1]:
        case Integer():
            return "integer"
        case agate.Number():
            return "float8" if table.aggregate(agate.MaxPrecision("v")) else "integer"
        case agate.Boolean():
            return "boolean"
        case agate.DateTime():
            return "timestamp without time zone"
        case agate.Date():
            return "date"
        case _:
            return "text"
