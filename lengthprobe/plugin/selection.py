"""Which claims run: what needs a reference or is a replication runs when it is asked for."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lengthprobe.plugin.claims import is_claim, kind_of
from lengthprobe.plugin.options import stated

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest


@dataclass(frozen=True, slots=True)
class Selection:
    """How many claims there are after `-k` and `-m`, and how many of them do not run.

    Args:
        claims: Claims, those that do not run included.
        regressions: Those that compare with a reference, where none is given.
        replications: Those that describe published models, where `-m` does not ask for them.
    """

    claims: int = 0
    regressions: int = 0
    replications: int = 0

    def lines(self) -> list[str]:
        """What does not run, and what to type to run it."""
        lines = []
        if self.regressions:
            what = "comparison" if self.regressions == 1 else "comparisons"
            lines.append(
                f"not run: {self.regressions} {what} with a reference (--lengthprobe-reference=NAME)"
            )
        if self.replications:
            what = "replication" if self.replications == 1 else "replications"
            lines.append(f"not run: {self.replications} {what} of published findings (-m replication)")
        return lines

    def as_dict(self) -> dict[str, int]:
        """The numbers by name, as processes exchange them."""
        return asdict(self)

    @classmethod
    def largest(cls, one: Selection, other: Mapping[str, int]) -> Selection:
        """The larger of the numbers of two processes: each of them has collected the same tests."""
        return cls(**{name: max(number, other[name]) for name, number in one.as_dict().items()})


def mark_kinds(items: list[pytest.Item]) -> None:
    """Mark every claim by its kind, so that `-m` can choose among them."""
    for item in items:
        if is_claim(item):
            item.add_marker(kind_of(item))


def select(config: pytest.Config, items: list[pytest.Item]) -> Selection:
    """Take out of the items what was not asked for, and say how much that is."""
    claims = [item for item in items if is_claim(item)]
    regressions, replications = set(), set()
    if stated(config, "reference") is None:
        regressions = {item for item in claims if "reference_probe" in getattr(item, "fixturenames", ())}
    if not re.search(r"\breplication\b", config.getoption("markexpr", "") or ""):
        replications = {item for item in claims if kind_of(item) == "replication"} - regressions
    left_out = regressions | replications
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]
    return Selection(len(claims), len(regressions), len(replications))
