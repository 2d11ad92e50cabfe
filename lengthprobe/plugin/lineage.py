"""The lineage of the checkpoint under test, by the option, or else by the checkpoint's name and card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lengthprobe.errors import LengthprobeError
from lengthprobe.nearest import option_to_type
from lengthprobe.plugin.options import name_in_role
from lengthprobe.plugin.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LINEAGE = pytest.StashKey[str | None]()
_UNREAD = pytest.StashKey[list[str]]()


def lineage(config: pytest.Config) -> str | None:
    """The lineage of the checkpoint under test, None where nothing tells.

    Raises:
        pytest.UsageError: The option names an unknown lineage.
    """
    if _LINEAGE not in config.stash:
        config.stash[_UNREAD] = []
        name = name_in_role(config, "model")
        config.stash[_LINEAGE] = lineage_option(config) or lineage_by_name(name, config.stash[_UNREAD].append)
    return config.stash[_LINEAGE]


def has_unread_card(config: pytest.Config) -> bool:
    """Whether the lineage is unknown because a model card could not be read."""
    return lineage(config) is None and bool(config.stash[_UNREAD])


def lineage_option(config: pytest.Config) -> str | None:
    """The lineage in the option, None without the option.

    Raises:
        pytest.UsageError: The option names an unknown lineage.
    """
    name = name_in_role(config, "lineage")
    if name is not None and name not in _known():
        raise refusal(
            f"--lengthprobe-lineage={name}: no lineage is known by this name",
            option_to_type("--lengthprobe-lineage", name, _known()),
        )
    return name


def lineage_by_name(name: str | None, unread: Callable[[str], None] = lambda _name: None) -> str | None:
    """The lineage by a checkpoint's name and card, None where neither tells.

    Args:
        name: The checkpoint, None for none.
        unread: Called with the name of a checkpoint whose card could not be read.
    """
    from lengthprobe.checkpoints.catalog import lineage_of, resolve

    try:
        return lineage_of(resolve(name), unread) if name is not None else None
    except LengthprobeError:
        # Loading the checkpoint will raise the error again, with its message.
        return None


def _known() -> Sequence[str]:
    from lengthprobe.checkpoints.catalog import LINEAGES

    return (*LINEAGES, "other")
