"""Looks: the numbers of prompts after which a claim is judged, and the part of alpha that each look spends.

A claim is judged on the first prompts of a stream, and again on more prompts while the claim is undecided.
Each look gives a wrong verdict with a probability of at most its part of alpha, and the parts add up to
alpha: so do the probabilities (union bound), however the looks depend on each other (METHODS §9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lengthprobe.settings import Settings

# Prompts a language, and parts of alpha; ours. Clear cases end at the first look: at 0.12 of 5 %, no miss in
# 100 answers bounds a rate below 5 %. The last look has most of alpha, where a decision is close
# (`benchmarks/gate_power.py` compares other rules).
_EARLY = ((100, 0.12), (150, 0.18), (300, 0.3))
DEFAULT_BUDGET = 450


class PlannedLook(NamedTuple):
    """A look planned before anything is asked.

    Args:
        prompts: The number of prompts a language.
        part: The part of alpha.
    """

    prompts: int
    part: float


def looks(budget: int) -> tuple[PlannedLook, ...]:
    """The looks up to a budget; the last look is at the budget, and has the part of alpha that is left.

    >>> [prompts for prompts, part in looks(450)]
    [100, 150, 300, 450]
    >>> looks(60)
    (PlannedLook(prompts=60, part=1.0),)

    Args:
        budget: The largest number of prompts a language.
    """
    early = [PlannedLook(prompts, part) for prompts, part in _EARLY if prompts < budget]
    left = 1.0 - sum(look.part for look in early)
    return (*early, PlannedLook(budget, round(left, 9)))


def early_looks(budget: int) -> tuple[int, ...]:
    """The numbers of prompts at the looks before a budget."""
    return tuple(look.prompts for look in looks(budget)[:-1])


def planned_looks(settings: Settings) -> tuple[PlannedLook, ...]:
    """The looks under some settings: with `early_looks` those up to the budget, otherwise one."""
    return looks(settings.budget) if settings.early_looks else (PlannedLook(settings.budget, 1.0),)
