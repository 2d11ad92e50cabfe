"""Kept answers: the store of a session, as `--lengthprobe-store` names a folder for the answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.plugin.options import option_value

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from lengthprobe.asking.store import Store

NOWHERE = "none"


def store_of(config: pytest.Config, tell: Callable[[str], None]) -> Store | None:
    """The store of a session, None where answers are kept nowhere.

    Args:
        config: The config of the session.
        tell: Called with each problem of the store.
    """
    named = option_value(config, "store")
    if named == NOWHERE:
        return None
    from lengthprobe.asking.store import Store, default_folder

    return Store(default_folder() if named is None else Path(named).expanduser(), tell)
