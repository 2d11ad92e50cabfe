"""Unmarked claims: without `about="mechanism"`, a claim on components has every prompt answered twice."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lengthprobe.plugin.probes import Probes


@contextmanager
def warn_of_unmarked(item: pytest.Item, probes: Probes) -> Iterator[None]:
    """Warn, in the name of a claim, where prompts were answered again during the claim."""
    before = probes.asked_again
    try:
        yield
    finally:
        again = [one for one in probes.asked_again if one not in before]
        if again:
            _warn(item, ", ".join(f"{name} in {language}" for name, language in again))


def _warn(item: pytest.Item, asked: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        # A hint is no reason for a claim to fail, even in a project that makes errors of warnings.
        warnings.simplefilter("always")
        item.warn(
            pytest.PytestWarning(
                f"{item.name} measures components and does not say so, so that every prompt was answered a "
                f"second time ({asked}), and no figure shows them\n"
                '  fix: @pytest.mark.claim(about="mechanism", languages=[...])'
            )
        )
    for message in caught:
        item.ihook.pytest_warning_recorded.call_historic(
            kwargs={"warning_message": message, "nodeid": item.nodeid, "when": "runtest", "location": None}
        )
