"""Selection of claims: comparisons with a reference, replications and findings run only when asked for."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pytest

from lengthprobe.plugin.deprecations import ignore_deprecations
from lengthprobe.plugin.lineage import has_unread_card, lineage
from lengthprobe.plugin.markers import (
    KIND,
    check_languages,
    check_stated,
    claim_kind,
    claim_subject,
    is_claim,
    marker_kind,
    skip_without_languages,
    takes,
)
from lengthprobe.plugin.misspelt_marker import misspelt_marker
from lengthprobe.plugin.options import option_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_UNKNOWN = pytest.StashKey[list[pytest.Item]]()
_BORNE = pytest.StashKey[set[str]]()


@dataclass(frozen=True, slots=True)
class Selection:
    """Numbers of claims after `-k` and `-m`, and of the claims that do not run.

    Args:
        claims: All claims, run or not.
        regressions: Comparisons with a reference, where no reference is given.
        replications: Claims that describe published models, where `-m` does not ask for them.
        mechanisms: Claims about the mechanism, where the mechanism of the checkpoint's lineage is not known.
        findings: Claims that decide nothing, where `-m` does not ask for them.
        unread: 1 where the lineage is unknown because a model card could not be read, else 0.
        misspelt: The line on a marker in `-m` that no test has, empty without such a marker.
    """

    claims: int = 0
    regressions: int = 0
    replications: int = 0
    mechanisms: int = 0
    findings: int = 0
    unread: int = 0
    misspelt: str = ""

    def lines(self) -> list[str]:
        """Lines on the claims that do not run, with the option that runs them."""
        lines = [self.misspelt] if self.misspelt else []
        if self.regressions:
            what = "comparison" if self.regressions == 1 else "comparisons"
            lines.append(
                f"not run: {self.regressions} {what} with a reference (--lengthprobe-reference=NAME)"
            )
        if self.replications:
            what = "replication" if self.replications == 1 else "replications"
            lines.append(f"not run: {self.replications} {what} of published findings (-m replication)")
        if self.findings:
            what = "finding, which decides" if self.findings == 1 else "findings, which decide"
            lines.append(f"not run: {self.findings} {what} nothing (-m finding)")
        if self.mechanisms:
            from lengthprobe.checkpoints.catalog import LINEAGES

            what = "claim" if self.mechanisms == 1 else "claims"
            if self.unread:
                lines.append(
                    "the lineage is not known: the model card is not in the hub cache, and the hub cannot be "
                    "reached"
                )
            lines.append(
                f"not run: {self.mechanisms} {what} about the mechanism, which is known for these "
                f"lineages only: {' and '.join(LINEAGES)} (--lengthprobe-lineage=NAME if the model is of "
                "one, or else -m replication)"
            )
        return lines

    def as_dict(self) -> dict[str, Any]:
        """The same by name, as processes exchange it."""
        return asdict(self)

    @classmethod
    def largest(cls, one: Selection, other: Mapping[str, Any]) -> Selection:
        """The larger of each value of two processes: both processes have collected the same tests."""
        return cls(**{name: max(told, other[name]) for name, told in one.as_dict().items()})


def mark_claims(config: pytest.Config, items: list[pytest.Item], asked: Sequence[str]) -> None:
    """Mark every claim by its kind, for `-m` to choose, and mark the claims to skip.

    Which markers there are is kept: `-m` may name another.

    Args:
        config: Names the checkpoint under test.
        items: The tests of the session.
        asked: The languages in the settings.
    """
    config.stash[_UNKNOWN] = []
    for item in items:
        if is_claim(item):
            check_stated(item)
            check_languages(item)
            skip_without_languages(item, asked)
            ignore_deprecations(item)
            item.stash[KIND] = marker_kind(item)
            if item.stash[KIND] == "requirement" and _is_of_unknown_mechanism(config, item):
                item.stash[KIND] = "replication"
                config.stash[_UNKNOWN].append(item)
            item.add_marker(item.stash[KIND])
    config.stash[_BORNE] = {marker.name for item in items for marker in item.iter_markers()}


def _is_of_unknown_mechanism(config: pytest.Config, item: pytest.Item) -> bool:
    """Whether a claim requires a mechanism that is known for other lineages than the checkpoint's.

    A comparison with a reference only requires an unchanged mechanism, whatever the lineage.
    """
    if claim_subject(item) == "behaviour" or takes(item, ["reference"]):
        return False
    return lineage(config) in (None, "other")


def select(config: pytest.Config, items: list[pytest.Item]) -> Selection:
    """Take the claims that nobody asked for out of the items, and return their numbers."""
    claims = [item for item in items if is_claim(item)]
    regressions = set()
    if option_value(config, "reference") is None:
        regressions = {item for item in claims if takes(item, ["reference"])}
    replications = _not_asked_for(config, claims, "replication") - regressions
    findings = _not_asked_for(config, claims, "finding") - regressions
    left_out = regressions | replications | findings
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]
    # `-m requirement` has taken these out before: a gate is to say so all the same.
    downgraded: list[pytest.Item] = config.stash.get(_UNKNOWN, [])
    unknown = set(downgraded)
    by_name = config.getoption("keyword", "")
    mechanisms = (replications & unknown) if by_name else unknown - set(items)
    borne = config.stash.get(_BORNE, None)
    return Selection(
        claims=len(claims),
        regressions=len(regressions),
        replications=len(replications - unknown),
        mechanisms=len(mechanisms),
        findings=len(findings),
        unread=int(bool(mechanisms) and has_unread_card(config)),
        misspelt="" if borne is None else misspelt_marker(config, borne, selected=bool(claims)),
    )


def _not_asked_for(config: pytest.Config, claims: Sequence[pytest.Item], kind: str) -> set[pytest.Item]:
    """The claims of a kind that runs only where `-m` names the kind; empty where `-m` does."""
    if re.search(rf"\b{kind}\b", config.getoption("markexpr", "") or ""):
        return set()
    return {item for item in claims if claim_kind(item) == kind}
