"""Docstrings: transformers reads its docstrings at import, and an option of Python strips them."""

from __future__ import annotations

import sys

from lengthprobe.errors import ModelError

_STRIPPED = 2


def refuse_stripped(optimize: int = sys.flags.optimize) -> None:
    """Refuse to load anything without docstrings: transformers then fails on every model.

    Args:
        optimize: How often -O was given, or the value of PYTHONOPTIMIZE.

    Raises:
        ModelError: Docstrings are stripped.
    """
    if optimize >= _STRIPPED:
        raise ModelError(
            "no model can be loaded under python -OO (or PYTHONOPTIMIZE=2): that strips docstrings, and "
            "transformers reads its own",
            "python -O, or python without the option (and without PYTHONOPTIMIZE)",
        )
