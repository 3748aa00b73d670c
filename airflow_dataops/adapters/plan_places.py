"""What is compared: a manifest or a folder of them, here or in a revision of git."""

from __future__ import annotations

import io
import subprocess
import tarfile
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def opened_place(text: str) -> Iterator[Path]:
    """Give the path of a file or folder; `<revision>:<path>` is taken out of git for a while.

    Raises:
        ConfigError: there is no such file, folder or revision, or no git.
    """
    path = Path(text)
    revision, colon, inside = text.partition(":")
    if path.exists() or not colon:
        if not path.exists():
            raise ConfigError(f"{text}: no such file or folder, nor a <revision>:<path> of git")
        yield path
        return
    with TemporaryDirectory(prefix="airflow-dataops-") as folder:
        with tarfile.open(fileobj=io.BytesIO(_archive(revision, inside, text))) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder) / inside


def _archive(revision: str, inside: str, text: str) -> bytes:
    # What follows `--end-of-options` and `--` is no option, whatever it begins with.
    named = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{tree}}")
    tree = _git(text, *named).decode().strip()
    return _git(text, "archive", "--format=tar", tree, "--", inside)


def _git(text: str, *arguments: str) -> bytes:
    command = ["git", *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603
    except FileNotFoundError as error:
        raise ConfigError(f"{text}: git is not installed") from error
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode(errors="replace").strip() or "no such revision"
        raise ConfigError(f"{text}: git has no such files: {told}") from error
