"""Shared verdicts: a fixture makes them for several claims, and at least one claim has to ask each.

Claims of one fixture may run in several processes, and each process sets the fixture up anew. So each claim
tells which verdicts were asked, and the process that writes the report adds up the answers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.plugin.markers import is_claim
from lengthprobe.plugin.verdicts import made_in_fixtures, was_asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.reporting.ledger import Ledger

_TAKERS = pytest.StashKey[dict[Any, list[str]]]()


def note_takers(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Keep the claims of each fixture with a wider scope than a test, before any claim is left out."""
    takers = config.stash.setdefault(_TAKERS, {})
    for item in items:
        if is_claim(item):
            for definitions in getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {}).values():
                if definitions and definitions[-1].scope != "function":
                    takers.setdefault(definitions[-1], []).append(item.nodeid)


def verdict_notes(item: pytest.Item) -> list[dict[str, Any]]:
    """A list of the claim's shared fixtures and of the verdicts asked for, as processes exchange the list."""
    if not is_claim(item):
        return []
    takers = item.config.stash.get(_TAKERS, {})
    told = []
    for fixture, made in made_in_fixtures(item).items():
        if fixture.scope == "function":
            continue
        seen: Counter[tuple[str, str]] = Counter()
        verdicts = []
        for one in made:
            # Another process makes the same verdicts, in the same order.
            seen[one.expression, one.status] += 1
            place = seen[one.expression, one.status]
            verdicts.append([one.expression, one.status, place, was_asked(item, one)])
        told.append(
            {
                "fixture": [fixture.baseid or "", fixture.argname],
                "claim": item.nodeid,
                "takers": takers.get(fixture, []),
                "whole": _is_whole(item.config, fixture.baseid or ""),
                "verdicts": verdicts,
            }
        )
    return told


def _is_whole(config: pytest.Config, home: str) -> bool:
    """Whether every test that can take a fixture was collected.

    Otherwise nobody knows which verdicts the other tests would ask.
    """
    if config.getoption("lf", False) or any("::" in one for one in config.args):
        return False
    place = (config.rootpath / home.partition("::")[0]).resolve()
    given = [(config.invocation_params.dir / one).resolve() for one in config.args]
    return any(one == place or one in place.parents for one in given)


@dataclass(slots=True)
class _Kept:
    """The claims of one fixture, and for each verdict of the fixture whether any claim asked its truth."""

    whole: bool = True
    last: str = ""
    takers: set[str] = field(default_factory=set)
    asked: dict[tuple[str, str, int], bool] = field(default_factory=dict)


@dataclass(slots=True)
class SharedVerdicts:
    """The verdicts of a session's shared fixtures, and whether any claim asked their truth."""

    _kept: dict[tuple[str, str], _Kept] = field(default_factory=dict)

    def add(self, told: Sequence[dict[str, Any]]) -> None:
        """Take up the list that a claim has told."""
        for one in told:
            home, name = one["fixture"]
            kept = self._kept.setdefault((home, name), _Kept())
            kept.whole = kept.whole and one["whole"]
            kept.last = one["claim"]
            kept.takers |= {one["claim"], *one["takers"]}
            for expression, status, place, asked in one["verdicts"]:
                key = (expression, status, place)
                kept.asked[key] = kept.asked.get(key, False) or asked

    def judge(self, ledger: Ledger) -> list[str]:
        """Messages on fixtures with a verdict that no claim asked; the fixture's last claim becomes an error.

        A fixture has no message where a claim that may ask the verdict was left out, or did not hold itself.
        """
        said = []
        for (_, name), kept in self._kept.items():
            left = [expression for (expression, _, _), asked in kept.asked.items() if not asked]
            ended = {nodeid for nodeid, one in ledger.entries.items() if one.verdict in ("holds", "reported")}
            if not left or not kept.whole or not kept.takers <= ended:
                continue
            why = (
                f"the fixture {name!r} compared {', and '.join(left)}, and no claim asked whether that is so"
            )
            message = (
                f"{kept.last}: {why}\n  fix: assert each comparison in a claim, or take it out of the fixture"
            )
            ledger.entries[kept.last] = replace(ledger.entries[kept.last], verdict="error", message=message)
            said.append(message)
        return said
