"""The display names of a session's checkpoints: the same in every worker, since what was typed decides."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.options import name_in_role
from lengthprobe.reporting.ledger import ROLES

_NAMES = pytest.StashKey[dict[str, str]]()


def shown_name(config: pytest.Config, name: str) -> str:
    """The display name of a checkpoint.

    A base that nobody typed, but a model card tells, takes no name from the others.

    Args:
        config: Knows what was typed.
        name: The name of the checkpoint as it was typed, or as a card tells it.
    """
    from lengthprobe.checkpoints.display_names import display_names

    if _NAMES not in config.stash:
        typed = [found for role in ROLES if (found := name_in_role(config, role)) is not None]
        config.stash[_NAMES] = display_names(typed)
    known = config.stash[_NAMES]
    if name not in known:
        return display_names([name], taken=known.values())[name]
    return known[name]
