"""CSV files with everything that can go wrong in them, by name.

`AS_DBT`: dbt loads them, and we leave the same table. `REFUSED`: neither dbt nor we load them.
`MORE`: dbt-duckdb fails, we load what dbt's reader understood, as its other adapters do.
`STRICTER`: DuckDB guesses another dialect than the CSV standard's; we say what is wrong.
"""

from __future__ import annotations


def _column(*values: str) -> str:
    return "id,v\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values, start=1))


AS_DBT = {
    "int_plain": _column("1", "-2", "007"),
    "int_space": _column("1", " 2 ", "3"),
    "int_plus": _column("+1", "2"),
    "int_underscore": _column("1_000", "2"),
    "int_exponent": _column("1e3", "2"),
    "int_dot": _column("5.", "2"),
    "int_zero_decimals": _column("1.0", "2"),
    "float": _column("1.5", "2", ""),
    "float_negative": _column("-.5", "2"),
    "float_tiny": _column("0.000000000000000000000000000001", "2"),
    "float_digits": _column("0.1234567890123456789", "123456789.123456789"),
    "boolean": _column("true", "false", "", "tRUE"),
    "boolean_letters": _column("t", "f"),
    "boolean_words": _column("yes", "no"),
    "boolean_digits": _column("0", "1"),
    "date": _column("2020-01-02", "", "1999-12-31"),
    "date_space": _column(" 2020-01-02 ", "1999-12-31"),
    "date_short": _column("2020-1-2", "1999-12-31"),
    "date_slashes": _column("2020/01/02", "1999/12/31"),
    "date_european": _column("31/12/2020", "01/12/1999"),
    "date_digits": _column("20200102", "19991231"),
    "date_and_time": _column("2020-01-02", "2020-01-02 03:04:05"),
    "time_of_day": _column("03:04:05", "00:00:00"),
    "timestamp": _column("2020-01-02 03:04:05", "1999-12-31 00:00:00"),
    "timestamp_t": _column("2020-01-02T03:04:05", ""),
    "timestamp_zulu": _column("2020-01-02T03:04:05Z", "1999-12-31T00:00:00Z"),
    "timestamp_offset": _column("2020-01-02T03:04:05+02:00", "1999-12-31T00:00:00-05:00"),
    "timestamp_fraction": _column("2020-01-02T03:04:05.123456", "1999-12-31T00:00:00.5"),
    "timestamp_nanos": _column("2020-01-02T03:04:05.123456789", "1999-12-31T00:00:00"),
    "timestamp_space_fraction": _column("2020-01-02 03:04:05.5", "1999-12-31 00:00:00.5"),
    "timestamp_minutes": _column("2020-01-02T03:04", "1999-12-31T00:00"),
    "text_empty": _column("a", "", '""', " "),
    "text_null": _column("a", "null", "NULL", '"null"'),
    "text_space": _column(" a ", "b\t", '"  "'),
    "text_quotes": _column('"say ""hi"""', "it's", '"a,b"', 'a"b', '5" pipe'),
    "text_lines": _column('"one\ntwo"', "x", '"c\r\nd"'),
    "text_backslash": _column("a\\b", "\\N", "c\\\\"),
    "text_sql": _column("'); drop table x; --", "{{ ref }}", "%s ? $1"),
    "text_unicode": _column("ünïcødé", "日本語", "🦆"),
    "text_and_digits": _column("007", "a7"),
    "text_json": _column('"{""a"": 1}"', "[]"),
    "signs": _column("-", "%", "$"),
    "all_empty": _column("", "", ""),
    "all_quoted_empty": _column('""', '""'),
    "no_rows": "id,v\n",
    "typed_by_other_cases": "id,zip,Zip2,sum,Total Sum,v\n1,007,008,1,2,3\n",
    "typed_and_quoted": "id,Zip,n,N2\n1,007,1,2\n",
    "some_empty": 'id,a,b\n1,,""\n2,x,2020-01-02\n',
    "no_rows_no_end": "id,v",
    "no_final_newline": "id,v\n1,a\n2,b",
    "windows": "id,v\r\n1,a\r\n2,b\r\n",
    "mac": "id,v\r1,2\r3,4\r",
    "byte_order_mark": "\ufeffid,v\n1,a\n",
    "blank_lines": "id,v\n\n1,a\n\n2,b\n\n",
    "one_column": "v\na\nb\n",
    "one_column_blank": "v\n\n1\n\n\n2\n\n",
    "only_commas": "id,v\n,\n1,a\n",
    "comment": "id,v\n#1,a\n2,b\n",
    "same_name": "id,id,id\n1,2,3\n",
    "no_name": "id,v,,\n1,2,3,4\n",
    "odd_names": "Id, my col ,x.y,select,naïve,a'b\n1,2,3,4,5,6\n",
    "semicolons": "id;v\n1;a,b\n",
    "tabs": "id\tv\n1\ta,b\n",
    "typed": (
        "id,zip,price,day,flag,big,note,at,list\n"
        '1,00501,1.005,2020-01-02,yes,3000000000,,2020-01-02 03:04:05,"[1, 2]"\n'
        "2,90210,2,2020-02-01,0,1,null,,\n"
    ),
}

CONFIG = """
seeds:
  - {name: semicolons, config: {delimiter: ";"}}
  - {name: tabs, config: {delimiter: "\\t"}}
  - name: typed
    config:
      column_types:
        {zip: varchar(5), price: "decimal(10,2)", day: date, flag: boolean, big: bigint,
         note: text, at: timestamp, list: "integer[]"}
  - name: typed_by_other_cases
    config:
      column_types:
        {ID: bigint, Zip: varchar(5), "\\"sum\\"": double, gone: text, Total Sum: double}
  - name: typed_and_quoted
    config: {quote_columns: true, column_types: {Zip: varchar(5), n: bigint}}
"""

MORE = {
    "int_null": (_column("1", "null", "NULL"), [(1, 1), (2, None), (3, None)]),
    "int_thousands": (_column('"1,000"', "2"), [(1, 1000), (2, 2)]),
    "int_currency": (_column("$5", "2"), [(1, 5), (2, 2)]),
    "int_percent": (_column("5%", "2"), [(1, 5), (2, 2)]),
    "all_null": (_column("null", "null"), [(1, None), (2, None)]),
    "all_blank": (_column(" ", "  "), [(1, None), (2, None)]),
    "boolean_space": (_column(" true", "false "), [(1, True), (2, False)]),
    "boolean_null": (_column("true", "null"), [(1, True), (2, None)]),
    "quote_in_name": ('id,"q""q"\n1,2\n', [(1, 2)]),
}

REFUSED = {
    "int_too_big": _column("1", "3000000000"),
    "float_nan": _column("NaN", "2"),
    "empty": "",
    "short_row": "id,v,w\n1,a\n2,b,c\n",
    "long_row": "id,v\n1,a,b\n2,b\n",
    "blank_row": "id,v\n1,2\n   \n3,4\n",
    "same_name_other_case": "id,ID\n1,2\n",
}

STRICTER = {
    "open_quote": ('id,v\n1,a\n2,"b\n3,c\n', "line 3: unexpected end of data"),
    "text_behind_quote": ('id,v\n1,"a"b\n2,c\n', "line 2: ',' expected after '\"'"),
    "no_header": ("\nid,v\n1,2\n", "line 1: there is no header"),
}
