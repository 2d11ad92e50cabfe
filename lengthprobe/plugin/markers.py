"""Markers: which tests are claims, and what the marker of each claim says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.nearest import nearest
from lengthprobe.plugin.options import is_in_use
from lengthprobe.plugin.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = ("requirement", "replication", "finding")
ABOUT = ("behaviour", "mechanism")
# The names that a claim's marker may have.
SAID = ("source", "kind", "published", "about", "languages")
MARKERS = (
    "claim(source, kind='requirement', published, about='behaviour', languages): what a Verdict decides",
    "requirement: a claim that a checkpoint must satisfy to ship",
    "replication: a claim that describes published models, and runs with `-m replication` only",
    "finding: states what a model does, either way; it asserts nothing, and runs with `-m finding` only",
)
_VALUES = {"kind": KINDS, "about": ABOUT}
PROBES = {"probe": "model", "base_probe": "base", "reference_probe": "reference"}
_FIXTURES = "lengthprobe.plugin.fixtures"

KIND = pytest.StashKey[str]()


def is_claim(item: pytest.Item) -> bool:
    """Whether a test is a claim of lengthprobe's.

    Another project may mark its tests `claim`, have fixtures of the same names, and mean something else. So
    lengthprobe must be in use there, or the test must use fixtures of lengthprobe's own.
    """
    if item.get_closest_marker("claim") is None:
        return False
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return is_in_use(item.config) or any(is_own(definitions) for definitions in known.values())


def is_own(definitions: Sequence[Any]) -> bool:
    """Whether a fixture is lengthprobe's own, by its last definition: a test sees only the last."""
    return bool(definitions) and definitions[-1].func.__module__ == _FIXTURES


def takes(item: pytest.Item, roles: Sequence[str]) -> bool:
    """Whether a test takes the probe of any of the roles."""
    return any(PROBES.get(name, "") in roles for name in getattr(item, "fixturenames", ()))


def marker_values(item: pytest.Item) -> dict[str, Any]:
    """The values of a claim's marker, by name."""
    marker = item.get_closest_marker("claim")
    return dict(marker.kwargs) if marker else {}


def check_stated(item: pytest.Item) -> None:
    """Refuse a claim whose marker has a value under an unknown name, or under no name.

    Raises:
        pytest.UsageError: The marker has a name that `SAID` lacks, or no name; the message has the name that
            was probably meant.
    """
    for marker in item.iter_markers("claim"):
        for value in marker.args:
            meant = next((name for name, all_ in _VALUES.items() if value in all_), SAID[0])
            raise refusal(
                f"{item.nodeid}: the marker `claim` says {value!r} without saying what that is",
                f"{meant}={value!r}, or another of {', '.join(SAID)}",
            )
        for name, value in marker.kwargs.items():
            if name not in SAID:
                near = nearest(name, SAID)
                raise refusal(
                    f"{item.nodeid}: {name}={value!r}: the marker `claim` has no {name}",
                    f"did you mean {near}={value!r}?" if near else f"it has: {', '.join(SAID)}",
                )


def marker_kind(item: pytest.Item) -> str:
    """The kind of a claim, by its markers.

    Raises:
        pytest.UsageError: The marker names a kind that does not exist.
    """
    default = next((kind for kind in KINDS[1:] if item.get_closest_marker(kind)), KINDS[0])
    return _one_of(item, "kind", str(marker_values(item).get("kind") or default), KINDS)


def claim_kind(item: pytest.Item) -> str:
    """The kind of a claim for the checkpoint under test, known once the claims are collected."""
    return item.stash.get(KIND, None) or marker_kind(item)


def claim_subject(item: pytest.Item) -> str:
    """The subject of a claim: `behaviour` (the responses of a model) or `mechanism` (its components).

    Raises:
        pytest.UsageError: The marker names something else.
    """
    return _one_of(item, "about", str(marker_values(item).get("about") or ABOUT[0]), ABOUT)


def probe_for(item: pytest.Item, probe: Any) -> Any:
    """The probe for a claim: what is claimed about components is claimed of greedy responses."""
    is_of_components = is_claim(item) and claim_subject(item) == "mechanism"
    return getattr(probe, "greedy", probe) if is_of_components else probe


def language_of(item: pytest.Item) -> str | None:
    """The language for which a claim runs, None where the claim takes no language."""
    callspec = getattr(item, "callspec", None)
    language = callspec.params.get("language") if callspec else None
    return str(language) if language is not None else None


def has_no_case(item: pytest.Item) -> bool:
    """Whether `parametrize` gives a claim nothing to run with, so that pytest leaves the claim out."""
    callspec = getattr(item, "callspec", None)
    # The value that pytest puts in for an empty set of parameters.
    return any(type(value).__name__ == "NotSetType" for value in getattr(callspec, "params", {}).values())


def claim_languages(item: pytest.Item) -> tuple[str, ...]:
    """The languages to which a claim's marker limits the claim; empty where there is no limit."""
    languages = marker_values(item).get("languages") or ()
    return (languages,) if isinstance(languages, str) else tuple(map(str, languages))


def needed_languages(item: pytest.Item) -> tuple[str, ...]:
    """The languages in which a claim needs a checkpoint to be asked, by its parameter or its marker."""
    language = language_of(item)
    return claim_languages(item) if language is None else (language,)


def check_languages(item: pytest.Item) -> None:
    """Refuse a claim whose marker limits the claim to an unknown language.

    Raises:
        pytest.UsageError: No file describes the language; the message names the known languages.
    """
    from lengthprobe.task.languages import available, unknown_language

    limits = claim_languages(item)
    for language in limits:
        if language not in available():
            error = unknown_language(language, given=limits)
            raise refusal(f"{item.nodeid}: languages={language!r}: {error.problem}", error.fix)


def language_parameters(item: pytest.Item, asked: Sequence[str]) -> list[Any]:
    """The languages for which a claim with a `language` argument runs, or skips if none of them is asked in.

    Args:
        item: The claim, before pytest gives a language to the claim.
        asked: The languages in the settings.
    """
    limits = claim_languages(item)
    both = [language for language in asked if not limits or language in limits]
    return both or [pytest.param(one, marks=_left_out([one], asked)) for one in limits]


def skip_without_languages(item: pytest.Item, asked: Sequence[str]) -> None:
    """Skip a claim without a `language` argument where the settings lack a language of its marker."""
    missing = [language for language in claim_languages(item) if language not in asked]
    if missing and language_of(item) is None:
        item.add_marker(_left_out(missing, asked))


def _left_out(missing: Sequence[str], asked: Sequence[str]) -> pytest.MarkDecorator:
    return pytest.mark.skip(
        reason=f"needs the {'language' if len(missing) == 1 else 'languages'} {', '.join(missing)}: "
        f"--lengthprobe-languages={','.join([*asked, *missing])}"
    )


def _one_of(item: pytest.Item, name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise refusal(
            f"{item.nodeid}: {name}={value!r} is nothing that a claim can say",
            f"{name}={f' or {name}='.join(map(repr, allowed))}",
        )
    return value
