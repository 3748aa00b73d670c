"""What an expression says, as data: criteria, combined by set operators.

The terms are dbt's; https://docs.getdbt.com/reference/node-selection/syntax describes them.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Any, NamedTuple

from airflow_dataops.core.model import Struct

ANY_DEPTH = sys.maxsize
"""As many steps as the graph has."""


class IndirectSelection(StrEnum):
    """Which tests join a selection that does not name them.

    `eager`: those with any parent in it. `cautious`: those with all parents in it.
    `buildable`: like cautious, ancestors of the selection counting as parents too.
    `empty`: none.
    """

    EAGER = "eager"
    CAUTIOUS = "cautious"
    BUILDABLE = "buildable"
    EMPTY = "empty"


class OnEmpty(StrEnum):
    """What happens when a part of an expression matches nothing."""

    ERROR = "error"
    WARN = "warn"


class MethodName(StrEnum):
    """What a criterion looks at; written before the colon."""

    ACCESS = "access"
    CONFIG = "config"
    EXPOSURE = "exposure"
    FILE = "file"
    FQN = "fqn"
    GROUP = "group"
    METRIC = "metric"
    PACKAGE = "package"
    PATH = "path"
    RESOURCE_TYPE = "resource_type"
    RESULT = "result"
    SAVED_QUERY = "saved_query"
    SELECTOR = "selector"
    SEMANTIC_MODEL = "semantic_model"
    SOURCE = "source"
    SOURCE_STATUS = "source_status"
    STATE = "state"
    TAG = "tag"
    TEST_NAME = "test_name"
    TEST_TYPE = "test_type"
    UNIT_TEST = "unit_test"
    VERSION = "version"


class SetOperator(StrEnum):
    """How the parts of a group combine."""

    UNION = "union"
    INTERSECTION = "intersection"
    DIFFERENCE = "difference"


class Criterion(Struct, frozen=True):
    """One condition with its graph operators, such as `2+tag:daily+`.

    Attributes:
        text: how the user wrote it.
        arguments: what follows the method after dots (`config.meta.owner`).
        value: text; the YAML form may give `config` a boolean, number or list.
        parents, children: steps to follow up and down, 0 for none, `ANY_DEPTH` for all.
        childrens_parents: `@`: the descendants too, and all that they are built from.
        indirect: None for the caller's.
    """

    text: str
    method: MethodName
    value: Any
    arguments: tuple[str, ...] = ()
    parents: int = 0
    children: int = 0
    childrens_parents: bool = False
    indirect: IndirectSelection | None = None

    @property
    def pattern(self) -> str:
        """The value as text, for the methods that compare text."""
        return str(self.value)

    @property
    def walks(self) -> bool:
        """Whether it has graph operators."""
        return bool(self.parents or self.children or self.childrens_parents)


class Group(Struct, frozen=True):
    """Parts combined by a set operator.

    Attributes:
        text: how the user wrote it.
        indirect: how tests that were left waiting for a parent join; None for the caller's.
        expected: whether it is a mistake when it matches nothing.
    """

    text: str
    operator: SetOperator
    parts: tuple[Criterion | Group, ...]
    indirect: IndirectSelection | None = IndirectSelection.EAGER
    expected: bool = False


Spec = Criterion | Group


class Selected(NamedTuple):
    """What a spec selects: `direct`, and the tests that `wait` for more of their parents."""

    direct: set[str]
    waiting: set[str]
