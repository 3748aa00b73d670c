"""Verdicts for a reader: lines, Markdown, HTML, JUnit's XML. Pure functions to text."""

from __future__ import annotations

from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from airflow_dataops.core.health.verdict import Status, Verdict
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    JUNIT = "junit"


_BY_SUFFIX = {
    ".json": Format.JSON,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xml": Format.JUNIT,
    ".txt": Format.TEXT,
}


def format_of(path: Path) -> Format:
    """Return the format that a file's name asks for; JSON where it tells nothing."""
    return _BY_SUFFIX.get(path.suffix.lower(), Format.JSON)


class Table(Struct, frozen=True):
    """A table of text, with a title."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Document(Struct, frozen=True):
    """What is written: a title, facts (value by label), verdicts, further tables."""

    title: str
    facts: dict[str, str]
    verdicts: tuple[Verdict, ...] = ()
    tables: tuple[Table, ...] = ()


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """Return verdicts as a table, the worst first."""
    order = (Status.FAIL, Status.ERROR, Status.WARN, Status.PASS, Status.SKIP)
    rows = [
        (each.status.value, each.table, each.check, each.message, each.expected or "")
        for each in sorted(verdicts, key=lambda each: (order.index(each.status), not each.critical))
    ]
    heads = ("Status", "Table", "Check", "Found", "Expected")
    return Table(title="Checks", heads=heads, rows=tuple(rows))


def write(document: Document, kind: Format) -> str:
    """Write a document in any format but JSON."""
    writers = {
        Format.TEXT: _lines,
        Format.MARKDOWN: _markdown,
        Format.HTML: _html,
        Format.JUNIT: _junit,
    }
    return writers[kind](document)


def line(each: Verdict) -> str:
    """Write one verdict on one line."""
    critical = " (critical)" if each.critical else ""
    expected = f" Expected: {each.expected}." if each.expected and each.status != "PASS" else ""
    found = f"{each.table} {each.check}{critical}: {each.message}{expected}"
    return f"{each.status.value:<5} {printable(found)}"


def _lines(document: Document) -> str:
    lines = [line(each) for each in document.verdicts]
    for table in document.tables:
        lines += ["", table.title, *(printable("  ".join(row)) for row in table.rows)]
    lines += ["", *(f"{label}: {value}" for label, value in document.facts.items())]
    return "\n".join(lines).strip("\n") + "\n"


def _all_tables(document: Document) -> list[Table]:
    first = [verdict_table(document.verdicts)] if document.verdicts else []
    return [*first, *document.tables]


def _markdown(document: Document) -> str:
    parts = [f"# {document.title}", ""]
    parts += [f"- **{label}**: {_cell(value)}" for label, value in document.facts.items()]
    for table in _all_tables(document):
        parts += ["", f"## {table.title}", ""]
        parts += [_row(table.heads), _row(["---"] * len(table.heads)), *map(_row, table.rows)]
    return "\n".join(parts) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.35rem "
    ".6rem;text-align:left;vertical-align:top}.FAIL,.MISSED{color:#b00020;font-weight:600}"
    ".ERROR{color:#8a4b00;font-weight:600}.WARN{color:#8a6d00}.PASS,.MET{color:#1b6e1b}"
)


def _html(document: Document) -> str:
    facts = "".join(
        f"<li><b>{escape(label)}</b>: {escape(value)}</li>"
        for label, value in document.facts.items()
    )
    tables = "".join(_html_table(table) for table in _all_tables(document))
    title = escape(document.title)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{title}</h1><ul>{facts}</ul>\n{tables}</body></html>\n"
    )


def _html_table(table: Table) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in table.heads)
    rows = "\n".join(
        f'<tr class="{escape(row[0])}">' + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>"
        for row in table.rows
    )
    return f"<h2>{escape(table.title)}</h2><table><tr>{heads}</tr>\n{rows}</table>\n"


def _junit(document: Document) -> str:
    """Write JUnit's XML as Jenkins and GitLab read it: an ERROR is an error, no failure."""
    suite = Element("testsuite", name=document.title)
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for each in document.verdicts:
        counts["tests"] += 1
        case = SubElement(suite, "testcase", classname=_xml(each.table), name=_xml(each.check))
        tag = {Status.FAIL: "failure", Status.ERROR: "error", Status.SKIP: "skipped"}.get(
            each.status
        )
        if tag is None:
            SubElement(case, "system-out").text = _xml(each.message)
            continue
        counts[{"failure": "failures", "error": "errors"}.get(tag, tag)] += 1
        SubElement(case, tag, message=_xml(each.message)).text = _xml(line(each))
    for name, count in counts.items():
        suite.set(name, str(count))
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _xml(text: str) -> str:
    """Leave out the characters that XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or c >= "\ue000")
