"""Drawings: the numbers behind the figures of a report, drawn once for a session."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import LengthprobeError
from lengthprobe.statistics.looks import planned_looks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lengthprobe.plugin.probes import Probes
    from lengthprobe.probe import Probe
    from lengthprobe.statistics.looks import PlannedLook
    from lengthprobe.statistics.measure_key import MeasureKey

    Draw = Callable[[], Mapping[str, Any] | None]


class Drawings:
    """Draws the portraits of the checkpoints of a session.

    Args:
        probes: The checkpoints; `probes.problems` takes a message on each figure that cannot be drawn.
    """

    def __init__(self, probes: Probes) -> None:
        self._probes = probes
        self._shown: set[str] = set()
        self._pieces: set[tuple[str, ...]] = set()

    def new_portraits(self, roles: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Portraits of the checkpoints in some roles, on the prompts of the first look.

        Each portrait is returned once. A checkpoint has a portrait where the contributions of its components
        have been captured.
        """
        found = {}
        first = planned_looks(self._probes.settings)[0]
        for role, (probe, languages) in self._probes.traced(roles).items():
            if role not in self._shown:
                self._shown.add(role)
                portrait = self._portrait(probe.at_look(first).greedy, languages)
                if portrait is not None:
                    found[role] = portrait
        return found

    def new_pieces(
        self, roles: Sequence[str], measured: Collection[MeasureKey], look: PlannedLook | None
    ) -> list[tuple[tuple[str, ...], Mapping[str, Any]]]:
        """Pieces of a portrait which only some claims measure, each with its place among all portraits.

        Each piece is returned once.

        Args:
            roles: The roles of the probes in a claim.
            measured: The keys of the measures that the claim compared or reported.
            look: The look of the claim, None for the whole budget.
        """
        found = []
        for place, draw in self.draws(roles, measured, look).items():
            if place not in self._pieces:
                (probe, _), *_ = self._probes.traced(place[:1]).values()
                piece = self._drawn(probe, draw)
                if piece is not None:
                    self._pieces.add(place)
                    found.append((place, piece))
        return found

    def draws(
        self, roles: Sequence[str], measured: Collection[MeasureKey], look: PlannedLook | None
    ) -> dict[tuple[str, ...], Draw]:
        """Functions that draw the pieces of `new_pieces`, by the place of each piece among all portraits."""
        from lengthprobe.portraits.attribution import swap_portrait
        from lengthprobe.portraits.causality import causes

        found: dict[tuple[str, ...], Draw] = {}
        for role, (probe, languages) in self._probes.traced(roles).items():
            viewed = (probe if look is None else probe.at_look(look)).in_role(role).greedy
            for language in languages:
                found[role, "number_swap", language] = partial(swap_portrait, viewed, language)
                every = causes(viewed, language, measured)
                found |= {(role, *place): draw for place, draw in every.items()}
        return found

    def _portrait(self, probe: Probe, languages: Sequence[str]) -> Mapping[str, Any] | None:
        """The portrait of a checkpoint, None where its components are not known.

        A single process draws the portrait for all processes.
        """
        from lengthprobe.portraits.attribution import portrait

        def draw(_key: str) -> bytes:
            return json.dumps(portrait(probe, languages)).encode()

        return self._drawn(probe, lambda: self._probes.shared(f"portrait of {probe.source.name}", draw))

    def _drawn(self, probe: Probe, draw: Draw) -> Mapping[str, Any] | None:
        try:
            return draw()
        except LengthprobeError:
            # The claims that need its components have told the reader.
            return None
        # No fault of a figure is worth the verdicts of a session.
        except Exception as error:
            problem = (
                f"{probe.name} is not in every figure of the report: {type(error).__name__}: {error}; "
                "this is a fault of lengthprobe's: please tell its authors"
            )
            if problem not in self._probes.problems:
                self._probes.problems.append(problem)
            return None
