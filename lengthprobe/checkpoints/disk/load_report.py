"""The report of transformers on a load: tensors of the file and of the model that do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# In the order in which they are told.
_KINDS = ("missing_keys", "mismatched_keys", "unexpected_keys")


def unfitting_tensors(report: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first kind of unfitting tensors, and their names for a message; None where all fit.

    Args:
        report: The second result of `from_pretrained(…, output_loading_info=True)`, beside the model.
    """
    for kind in _KINDS:
        names = sorted(str(key[0]) if isinstance(key, tuple) else str(key) for key in report.get(kind) or ())
        if names:
            return kind, first_names(names)
    return None


def first_names(names: Sequence[str]) -> str:
    """The first three names, and how many more there are."""
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
