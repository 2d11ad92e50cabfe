"""Option clash: two conftests add the same short option, and pytest alone would show a traceback."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lengthprobe.plugin.options import OPTIONS
from lengthprobe.plugin.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

_SHORT = [option.short for option in OPTIONS if option.short]


@contextmanager
def telling_clashes(config: pytest.Config) -> Iterator[None]:
    """A block in which a short option added twice gives a readable message.

    Args:
        config: Knows the conftests that have been loaded.

    Raises:
        pytest.UsageError: An option is added twice; the message names the conftests, and the line to type.
    """
    try:
        yield
    except ValueError as error:
        twice = [name for name in _SHORT if f"'{name}'" in str(error)]
        if "already added" not in str(error) or not twice:
            raise
        adding = [
            os.path.relpath(str(plugin.__file__), config.invocation_params.dir)
            for plugin in config.pluginmanager.get_plugins()
            if hasattr(plugin, "pytest_addoption")
            and str(getattr(plugin, "__file__", "")).endswith("conftest.py")
        ]
        raise refusal(
            f"{twice[0]} is added twice, by these files: {', '.join(sorted(adding))}",
            f"take parser.addoption out of one of them; or, to use the one here alone: pytest --confcutdir=. "
            f"{twice[0]}=NAME",
        ) from error
