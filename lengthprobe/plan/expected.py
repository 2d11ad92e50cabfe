"""What is expected of each claim: from the report of a run, or from assumed rates."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ReportError, SettingsError
from lengthprobe.margins import Margins, alpha_shares
from lengthprobe.statistics.looks import DEFAULT_BUDGET, looks
from lengthprobe.statistics.power import Scale, Sides, Spread
from lengthprobe.statistics.winsorised import WINSORISED_AT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

REPORT = "report.json"
# The slope within its bounds, where lengths are 3 to 9; see `measures.error_growth`.
_STEEPEST = 3.75
_SHARE = Scale(0.0, 1.0)
# The values that a measure of behaviour gives a topic.
_SCALES = {
    "length_error": Scale(-WINSORISED_AT, WINSORISED_AT),
    "absolute_error": Scale(0.0, WINSORISED_AT),
    "error_growth": Scale(-_STEEPEST, _STEEPEST, step=_STEEPEST / 5),
    "exact_match": Scale(0.0, 1.0, centre=1.0),
    "runaways": _SHARE,
    "short_answers": _SHARE,
    "preambles": _SHARE,
    "counter_disagreement": _SHARE,
}
# Assumed where no run tells (ours): shares of the misses.
_OF_MISSES = {"runaways": 0.05, "short_answers": 0.1, "preambles": 0.05, "counter_disagreement": 0.1}
# The mean square of the error of a miss, in words winsorised at 3: most are off by a word.
_MISS_SQUARED = 2.0
DEFAULT_EXACT, DEFAULT_AGREEMENT = 0.95, 0.5


@dataclass(frozen=True, slots=True)
class Expected:
    """A claim whose cost is foretold.

    Args:
        claim: The name of the claim.
        language: Code of the language, empty where nothing depends on one.
        sides: What the claim says.
        spread: The mean and the spread of topics that are expected.
        prompts_a_topic: The number of prompts about each topic.
        share_of_prompts: The share of a language's prompts that the claim uses.
        unit: The unit of the mean.
    """

    claim: str
    language: str
    sides: Sides
    spread: Spread
    prompts_a_topic: float
    share_of_prompts: float
    unit: str

    def topics(self, prompts: float) -> float:
        """The number of the claim's topics among so many prompts of a language."""
        return prompts * self.share_of_prompts / self.prompts_a_topic


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan rests on.

    Args:
        told: Where the figures are from, for the reader.
        claims: The claims.
        looks: The numbers of prompts at which claims are judged, with their parts of alpha.
        alpha: The one-sided error rate.
        seconds: Seconds a prompt in one language, None where nobody knows.
    """

    told: str
    claims: tuple[Expected, ...]
    looks: tuple[tuple[int, float], ...]
    alpha: float
    seconds: float | None


def assume(exact: float, agreement: float, alpha: float = 0.05) -> Basis:
    """The claims of behaviour, each as a requirement and against a reference as good.

    Args:
        exact: The share of exact answers of both checkpoints.
        agreement: The share of the misses that both have.
        alpha: The one-sided error rate.

    Raises:
        SettingsError: A share does not lie between 0 and 1.
    """
    for name, value in (("exact", exact), ("agreement", agreement)):
        if not 0 <= value <= 1:
            raise SettingsError(f"{name} {value:g} is no share from 0 to 1", f"setting:{name}=0.9")
    margins, missed = Margins(), 1 - exact
    shares = alpha_shares(2, reference=True).behaviour
    rates = {"exact_match": missed} | {name: missed * part for name, part in _OF_MISSES.items()}

    def of_share(name: str) -> Spread:
        rate = rates[name]
        mean = 1 - rate if name == "exact_match" else rate
        return Spread(mean, math.sqrt(rate * (1 - rate)), _SCALES[name])

    def words(squared: float) -> Spread:
        return Spread(0.0, math.sqrt(missed * squared), _SCALES["length_error"])

    # A slope is the mean of error times weight; the weights have a mean square of 1/4 for lengths 3 to 9.
    growth = Spread(0.0, math.sqrt(missed * _MISS_SQUARED) / 2, _SCALES["error_growth"])
    # Misses of one side alone: each side has so many.
    alone = 2 * (1 - agreement)
    found: list[tuple[str, int, float, Spread, str]] = [
        ("length_error", 0, margins.length_error, words(_MISS_SQUARED), "words"),
        ("error_growth", -1, margins.error_growth, growth, "words/word"),
        (
            "length_error_rise",
            -1,
            margins.length_error_rise,
            words(_MISS_SQUARED * alone),
            "words",
        ),
        (
            "error_growth_rise",
            -1,
            margins.error_growth_rise,
            Spread(0.0, growth.deviation * math.sqrt(alone), growth.scale),
            "words/word",
        ),
    ]
    for name in rates:
        is_fall = name == "exact_match"
        sign = 1 if is_fall else -1
        change = f"{name}_{'fall' if is_fall else 'rise'}"
        between = Spread(0.0, math.sqrt(rates[name] * alone), Scale(-1.0, 1.0))
        found.append((name, sign, getattr(margins, name), of_share(name), "share"))
        found.append((change, sign, sign * -getattr(margins, change), between, "share"))
    order = list(Margins.__dataclass_fields__)
    found.sort(key=lambda one: order.index(one[0]))
    claims = tuple(
        Expected(name, "", Sides(margin, sign, alpha, shares), spread, 1.0, 1.0, unit)
        for name, sign, margin, spread, unit in found
    )
    told = f"assumed: {100 * exact:g} % exact answers, {100 * agreement:g} % of the misses in common"
    return Basis(told, claims, looks(DEFAULT_BUDGET), alpha, None)


def from_report(path: Path) -> Basis:
    """The requirements that a run decided or left undecided, with their own spread.

    Args:
        path: report.json, or the folder with report.json.

    Raises:
        ReportError: The file cannot be read, is no report, or holds no requirement with an interval.
    """
    file = path / REPORT if path.is_dir() else path
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReportError(
            f"{file} cannot be read: {error}", "name a report.json, or a folder of --lengthprobe-report=DIR"
        ) from error
    try:
        return _read(report, str(file))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ReportError(
            f"{file} is no report of lengthprobe: {type(error).__name__} {error}",
            "name a report.json that --lengthprobe-report=DIR wrote",
        ) from error


def _read(report: Mapping[str, Any], told: str) -> Basis:
    settings = report["settings"]
    budget, alpha = settings["budget"], settings["alpha"]
    # A run with a single look says so by having no early looks.
    planned: tuple[tuple[int, float], ...] = ((budget, 1.0),)
    if settings.get("early_looks"):
        planned = looks(budget)
    shares = alpha_shares(len(settings["languages"]), reference=report.get("reference") is not None)
    found = []
    for entry in report["claims"]:
        if entry["kind"] != "requirement":
            continue
        for check in entry["checks"]:
            expected = _expected(
                entry, check, shares.behaviour if entry["about"] == "behaviour" else shares.mechanism,
                alpha, planned,
            )  # fmt: skip
            if expected is not None:
                found.append(expected)
    if not found:
        raise ReportError(
            f"{told} holds no requirement with an interval", "run a suite with --lengthprobe-report=DIR"
        )
    return Basis(
        told, tuple(found), looks(max(budget, DEFAULT_BUDGET)), alpha, report.get("seconds_a_prompt")
    )


def _expected(
    entry: Mapping[str, Any],
    check: Mapping[str, Any],
    shares: float,
    alpha: float,
    planned: Sequence[tuple[int, float]],
) -> Expected | None:
    numbers = [check[name] for name in ("mean", "low", "high", "margin")]
    relation = check["relation"]
    if any(number is None for number in numbers) or relation is None or check["clusters"] < 2:
        return None
    mean, low, high, margin = map(float, numbers)
    n, topics = int(check["n"]), int(check["clusters"])
    # The check is of the first look with so many prompts.
    prompts, part = next((look for look in planned if look[0] >= n), planned[-1])
    scale = _scale(check["measures"], low)
    spread = Spread.measured(mean, (low, high), scale, topics, alpha * part)
    sign = 0 if relation["magnitude"] else -1 if relation["sign"][0] == "<" else 1
    return Expected(
        entry["claim"], entry["language"] or "", Sides(margin, sign, alpha, shares), spread,
        n / topics, min(1.0, n / prompts), check["unit"],
    )  # fmt: skip


def _scale(measures: Sequence[Mapping[str, Any]], limit: float) -> Scale | None:
    """The values that a topic can have, None where nobody knows bounds.

    Args:
        measures: The measures of a comparison. A measure of two checkpoints of one name stands once.
        limit: The lower limit: below the least value of the measure lies a difference alone.
    """
    names = {one["name"] for one in measures}
    known = {_SCALES.get(name) for name in names}
    if len(known) > 1 or any(one["options"] for one in measures):
        return None
    (scale,) = known
    if scale is None or (len(measures) == 1 and limit >= scale.low):
        return scale
    # A difference prompt by prompt; of slopes no farther than a slope, see `measures.error_growth`.
    width = scale.high if scale.low < 0 else scale.high - scale.low
    return Scale(-width, width, step=scale.step)
