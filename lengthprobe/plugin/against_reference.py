"""The candidate against the reference, measured once a claim has compared the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import LengthprobeError

if TYPE_CHECKING:
    from lengthprobe.reporting.ledger import Entry

_TOLD = pytest.StashKey[dict[str, int]]()


def against_reference(item: pytest.Item, entry: Entry, problems: list[str]) -> dict[str, dict[str, Any]]:
    """The reference's values and the changed prompts, by language, after a claim that compared the two.

    Nothing is asked: both checkpoints have answered. Behaviour is told once for each language and look.

    Args:
        item: The claim, after its test.
        entry: The outcome of the claim.
        problems: A list to which a fault of lengthprobe's own is added.
    """
    taken = getattr(item, "funcargs", {})
    probe, reference = taken.get("probe"), taken.get("reference_probe")
    if probe is None or reference is None:
        return {}
    told = item.config.stash.setdefault(_TOLD, {})
    languages = dict.fromkeys(key.language for key in sorted(entry.measured, key=str) if key.language)
    try:
        return {language: _told(probe, reference, entry, language, told) for language in languages}
    except LengthprobeError:
        # The claims that need the answers have told the reader.
        return {}
    # No fault of a page is worth the verdicts of a session.
    except Exception as error:
        problem = (
            f"the report does not show {reference.name} beside {probe.name}: "
            f"{type(error).__name__}: {error}; this is a fault of lengthprobe's: please tell its authors"
        )
        if problem not in problems:
            problems.append(problem)
        return {}


def _told(probe: Any, reference: Any, entry: Entry, language: str, told: dict[str, int]) -> dict[str, Any]:
    from lengthprobe.portraits.against_reference import (
        changed_prompts,
        values_of_behaviour,
        values_of_components,
    )

    if entry.about == "mechanism":
        return {"values": values_of_components(reference, language, entry.measured)}
    budget: int = probe.settings.budget
    if told.get(language, 0) >= budget:
        return {}
    told[language] = budget
    return {
        "values": values_of_behaviour(reference, language),
        "changed": changed_prompts(probe, reference, language),
    }
