"""Docstrings: transformers reads its own while it is imported, and Python can be told to strip them."""

from __future__ import annotations

import sys

from lengthprobe.errors import ModelError

_STRIPPED = 2


def refuse_stripped(optimize: int = sys.flags.optimize) -> None:
    """Refuse to load anything without docstrings: transformers then fails at whichever model it is asked for.

    Args:
        optimize: How often -O was given, or what PYTHONOPTIMIZE says.

    Raises:
        ModelError: Docstrings are stripped.
    """
    if optimize >= _STRIPPED:
        raise ModelError(
            "no model can be loaded under python -OO (or PYTHONOPTIMIZE=2): that strips docstrings, and "
            "transformers reads its own",
            "python -O, or python without the option (and without PYTHONOPTIMIZE)",
        )
