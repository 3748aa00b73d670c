"""The COPY INTO that Snowflake gets, which its emulator knows but in part."""

from __future__ import annotations

import pytest

from airflow_dataops.core.model import Relation
from airflow_dataops.core.sql.copying import Copy, copy_files, create_for_copy
from airflow_dataops.errors import ConfigError

STAGING = Relation(identifier="orders__stg_1", schema="RAW")


def test_csv_goes_by_place_with_what_the_format_needs() -> None:
    copy = Copy(
        location="s3://lake/raw/o'neill/2026-01-31/",
        options={"field_optionally_enclosed_by": '"', "skip_header": 1, "trim_space": True},
        columns={"id": "number(38,0)", "name": "varchar"},
        pattern=r".*\.csv",
        on_error="skip_file_10%",
        integration="lake_reader",
    )
    assert create_for_copy(STAGING, copy) == (
        'create transient table "RAW"."orders__stg_1" ("id" number(38,0), "name" varchar)'
    )
    assert copy_files(STAGING, copy) == (
        'copy into "RAW"."orders__stg_1" ("id", "name")\n'
        "from 's3://lake/raw/o\\'neill/2026-01-31/'\n"
        "storage_integration = lake_reader\n"
        "pattern = '.*\\\\.csv'\n"
        "file_format = (type = csv field_optionally_enclosed_by = '\"' skip_header = 1"
        " trim_space = true)\n"
        "on_error = 'skip_file_10%'"
    )


def test_json_and_csv_with_a_header_go_by_name() -> None:
    json = Copy(location="@a/b/", format="json", columns={"id": "int"}, files=("1.json", "2.json"))
    assert copy_files(STAGING, json).splitlines()[1:] == [
        "from '@a/b/'",
        "files = ('1.json', '2.json')",
        "file_format = (type = json)",
        "match_by_column_name = case_insensitive",
        "on_error = abort_statement",
    ]
    headed = Copy(location="@a", options={"parse_header": True}, columns={"id": "int"})
    assert "match_by_column_name" in copy_files(STAGING, headed)


def test_a_named_format_tells_the_columns() -> None:
    copy = Copy(location="@a/b", format_name="RAW.LINES", files=("1.csv",))
    assert create_for_copy(STAGING, copy) == (
        'create transient table "RAW"."orders__stg_1" using template (\n'
        "  select array_agg(object_construct(*))\n"
        "  from table(infer_schema(location => '@a/b', file_format => 'RAW.LINES',"
        " files => ('1.csv'), ignore_case => true))\n)"
    )
    assert "file_format = (format_name = 'RAW.LINES')" in copy_files(STAGING, copy)


@pytest.mark.parametrize(
    ("copy", "message"),
    [
        (Copy(location="/data/x.csv", columns={"a": "int"}), "use Files"),
        (Copy(location="@a"), "name the columns"),
        (Copy(location="s3://lake/a/", format_name="LINES"), "name the columns"),
        (Copy(location="@a", columns={"a": "int) as select 1 --"}), "not one of Snowflake's types"),
        (Copy(location="@a", columns={"a": "int"}, format="xlsx"), "choose one of csv"),
        (Copy(location="@a", columns={"a": "int"}, on_error="hope"), "choose abort_statement"),
        (Copy(location="@a", columns={"a": "int"}, options={"a b": 1}), "not the name of"),
        (Copy(location="@a", columns={"a": "int"}, integration="x;y"), "not the name of"),
        (Copy(location="@a", columns={"a": "int"}, pattern="x", files=("y",)), "not both"),
        (Copy(location="@a", format_name="x') --"), "write name"),
    ],
)
def test_what_cannot_be_copied_is_told(copy: Copy, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        assert (create_for_copy(STAGING, copy), copy_files(STAGING, copy)) is None
