"""Display names of a session's checkpoints: the same in every worker, since the typed names decide."""

from __future__ import annotations

import pytest

from lengthprobe.plugin.options import name_in_role
from lengthprobe.reporting.ledger import ROLES

_NAMES = pytest.StashKey[dict[str, str]]()


def shown_name(config: pytest.Config, name: str) -> str:
    """The display name of a checkpoint.

    A base known from a model card, and not typed, takes no name from the typed checkpoints.

    Args:
        config: Knows the typed names.
        name: The name of the checkpoint, as typed or as in a model card.
    """
    from lengthprobe.checkpoints.display_names import display_names

    if _NAMES not in config.stash:
        typed = [found for role in ROLES if (found := name_in_role(config, role)) is not None]
        config.stash[_NAMES] = display_names(typed)
    known = config.stash[_NAMES]
    if name not in known:
        return display_names([name], taken=known.values())[name]
    return known[name]
