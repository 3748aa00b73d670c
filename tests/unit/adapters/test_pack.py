"""Packs: all at once or one by one, whatever the keys, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from airflow_dataops.adapters.record_file import (
    BrokenRecordFileError,
    RecordFile,
    write_records,
    write_whole,
)

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ["model.shop.orders", "", "a", "ab", "ä", "中文", "z\u0301", "😀", "model.shop.Orders"]


def decoded(record: memoryview | None) -> object:
    assert record is not None
    return msgspec.msgpack.decode(record)


def test_every_key_is_found_and_no_other(tmp_path: Path) -> None:
    entries = {key: {"key": key} for key in KEYS}
    more = {f"code {key}": [key] * 3 for key in KEYS}
    write_records(tmp_path / "p", b"head", entries, more)
    pack = RecordFile(tmp_path / "p")
    assert bytes(pack.header) == b"head"
    assert decoded(pack.entries) == entries
    for key in KEYS:
        assert decoded(pack.get(key)) == {"key": key}
        assert decoded(pack.get(f"code {key}")) == [key] * 3
        assert pack.get(key + "\x00") is None
    assert pack.get("model") is None


def test_records_of_more_than_one_write_are_where_the_index_says(tmp_path: Path) -> None:
    entries = {f"n{number}": "x" * 700_000 + str(number) for number in range(5)}
    write_records(tmp_path / "p", b"", entries, {"more": b"y" * 2_000_000})
    pack = RecordFile(tmp_path / "p")
    assert decoded(pack.entries) == entries
    assert all(decoded(pack.get(key)) == text for key, text in entries.items())
    assert decoded(pack.get("more")) == b"y" * 2_000_000


def test_a_pack_of_nothing(tmp_path: Path) -> None:
    write_records(tmp_path / "p", b"head", {}, {})
    pack = RecordFile(tmp_path / "p")
    assert decoded(pack.entries) == {}
    assert pack.get("a") is None


def test_what_another_release_wrote_is_no_pack(tmp_path: Path) -> None:
    write_records(tmp_path / "p", b"head", {"a": 1}, {})
    whole = (tmp_path / "p").read_bytes()
    (tmp_path / "p").write_bytes(b"dataops3" + whole[8:])
    with pytest.raises(BrokenRecordFileError):
        RecordFile(tmp_path / "p")


def test_what_cannot_be_encoded_leaves_the_old_pack_and_nothing_else(tmp_path: Path) -> None:
    write_records(tmp_path / "p", b"old", {"a": 1}, {})
    with pytest.raises(TypeError):
        write_records(tmp_path / "p", b"new", {"a": object()}, {})
    assert bytes(RecordFile(tmp_path / "p").header) == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_whole_file_has_the_mode_that_was_asked_for(tmp_path: Path) -> None:
    write_whole(tmp_path / "f", b"text", 0o644)
    assert (tmp_path / "f").read_bytes() == b"text"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o644
