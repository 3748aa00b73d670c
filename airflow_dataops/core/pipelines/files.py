"""What the reader of pipelines needs of a file system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from airflow_dataops.core.pipelines.located import Map


class Files(Protocol):
    """The files beside a pipeline's; all names are relative to the file that has them."""

    def document(self, name: str, beside: str) -> tuple[str, Map]:
        """Return the name by which a YAML file is known, and its content.

        Raises:
            ValueError: it is not there, or outside of the folder.
            PipelineError: it is no YAML.
        """

    def text(self, name: str, beside: str) -> str:
        """Return the text of a file. Raises ValueError."""

    def path(self, name: str, beside: str) -> str:
        """Return the absolute path of a file. Raises ValueError."""
