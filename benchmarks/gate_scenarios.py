"""Kinds of candidates, and what becomes of their gates under every rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from gate_answers import KINDS, Design, Pair
from gate_claims import ALPHA, CLAIMS, SHARES, proved
from gate_rules import FOUR, RULES, Answered, Judged, Looks
from scipy.stats import binom

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gate_answers import Floats
    from gate_claims import Claim
    from gate_rules import Outcome, Rule
    from numpy.random import Generator

    Row = dict[str, Any]

RATES = (0.85, 0.9, 0.97, 0.995)
AGREEMENTS = (0.0, 0.5, 0.9)
FALLS = (0.1, 0.2)
LANGUAGES = 2
_PROVED = 1


class Gate:
    """The outcomes of every rule on the fourteen claims, for one kind of candidate.

    Args:
        pair: The candidate and its reference.
        asked: The design.
        repeats: How many languages are made up, two a gate.
        rng: The source of chance.
        rules: The rules.
    """

    def __init__(
        self, pair: Pair, asked: Design, repeats: int, rng: Generator, rules: Sequence[Rule] = RULES
    ) -> None:
        candidate, reference = pair.draw(asked, repeats, rng)
        answered = [Answered(claim, candidate, reference, asked) for claim in CLAIMS]
        self.outcomes: dict[str, list[Outcome]] = {
            rule.name: [rule.judge(each) for each in answered] for rule in rules
        }
        for each in answered:
            prompts = 150
            some = candidate[:_PROVED, :prompts], reference[:_PROVED, :prompts]
            proved(each.claim, *some, asked, ALPHA, each.reading(prompts)[:, :_PROVED])

    def row(self, rule: str) -> Row:
        """The figures of a rule, in per cent and in prompts."""
        verdicts = np.array([outcome.verdicts for outcome in self.outcomes[rule]])
        prompts = np.array([outcome.prompts for outcome in self.outcomes[rule]])
        # Two languages that follow each other are a gate.
        gates = np.concatenate([verdicts[:, ::LANGUAGES], verdicts[:, 1::LANGUAGES]])
        passed, broken = (gates == 1).all(axis=0), (gates == -1).any(axis=0)
        # The prompts after which the gate's verdict is known: at the first broken claim, or at the last one.
        known = np.where(verdicts == -1, prompts, prompts.max(axis=0)).min(axis=0)
        hardest = (verdicts != 1).mean(axis=1)
        return {
            "rule": rule,
            "passes": _per_cent(passed),
            "broken": _per_cent(broken),
            "undecided": _per_cent(~passed & ~broken),
            "passes_in_one_language": _per_cent((verdicts == 1).all(axis=0)),
            "broken_in_one_language": _per_cent((verdicts == -1).any(axis=0)),
            "claim_median": float(np.median(prompts)),
            "claim_mean": float(prompts.mean()),
            "gate_median": float(np.median(known)),
            "gate_mean": float(known.mean()),
            "hardest": CLAIMS[int(hardest.argmax())].name if hardest.max() > 0 else "",
        }


def _per_cent(found: Floats) -> float:
    return round(100 * float(np.mean(found)), 2)


def good_rows(asked: Design, repeats: int, rng: Generator) -> list[Row]:
    """A candidate exactly as good as its reference, whose prompts fail alike or on one wording."""
    rows = []
    for rate in RATES:
        for common in AGREEMENTS:
            pair = Pair(1 - rate, common=common)
            rows += _rows(Gate(pair, asked, repeats, rng), rate=rate, common=common, misses="on all wordings")
        pair = Pair(1 - rate, common=0.5, profile=asked.one_wording(1.5 * (1 - rate)))
        rows += _rows(Gate(pair, asked, repeats, rng), rate=rate, common=0.5, misses="on one wording")
    return rows


def fall_rows(asked: Design, repeats: int, rng: Generator) -> list[Row]:
    """A candidate that misses more often than its reference."""
    rows = []
    for fall in FALLS:
        for rate in RATES:
            for common in (0.5, 0.9):
                gate = Gate(Pair(1 - rate, more=fall, common=common), asked, repeats, rng)
                rows += _rows(gate, rate=rate, common=common, fall=fall)
    return rows


def _rows(gate: Gate, **facts: Any) -> list[Row]:
    return [facts | gate.row(rule) for rule in gate.outcomes]


# The kind of answer that moves each claim, and how many words or shares one such answer adds.
def _driver(claim: Claim) -> tuple[int, float]:
    name = claim.name.removesuffix("_rise").removesuffix("_fall")
    errors = {"exact_match": 1, "length_error": 1, "short_answers": -3, "error_growth": 20}
    flags = {
        "runaways": "runs_away",
        "preambles": "has_preamble",
        "counter_disagreement": "counters_disagree",
    }
    for number, kind in enumerate(KINDS):
        if (kind.error == errors[name]) if name in errors else getattr(kind, flags[name]):
            return number, abs(float(claim.values[number] - claim.values[0]))
    raise ValueError(claim.name)


def at_margin(claim: Claim, asked: Design, rng: Generator, repeats: int, spread: str, common: float) -> Pair:
    """A candidate whose true mean is the margin of a claim.

    Args:
        claim: The claim.
        asked: The design.
        rng, repeats: For wordings drawn at random.
        spread: `even`, `one wording` as far as can be, or `wordings drawn`: half of the wordings fail twice
            as often, and the others never, another half each time.
        common: The share of the reference's misses that the candidate has too.
    """
    number, size = _driver(claim)
    kinds = tuple(float(at == number) for at in range(len(KINDS)))
    distance = abs(claim.margin - (1.0 if claim.name == "exact_match" else 0.0))
    more, profile = distance / size, None
    if claim.grows:
        # 5 words at the greatest length alone: the slope is the share there times 5 times its weight.
        lengths = asked.lengths
        weights = (lengths - lengths.mean()) / np.mean((lengths - lengths.mean()) ** 2)
        profile = asked.longest()
        more = distance / float(np.mean(5 * weights * profile))
    missed = (0.02 if claim.grows else 0.05) if claim.is_rise else 0.0
    if not claim.grows and spread == "one wording":
        profile = asked.one_wording((2 - common) * missed + more)
    if not claim.grows and spread == "wordings drawn":
        wordings = rng.integers(0, 2, (repeats, int(asked.wordings.max()) + 1)) * 2.0
        profile = wordings[:, asked.wordings]
    return Pair(missed, more=more, common=common, kinds=kinds, profile=profile)


def margin_rows(asked: Design, repeats: int, rng: Generator) -> list[Row]:
    """How often each claim holds, and is broken, with the truth at its margin."""
    rows = []
    again = asked.with_topics(150)
    for claim in CLAIMS:
        cases = [("even", 0.0, asked, 0.0), ("even", 0.9, asked, 0.0), ("one wording", 0.9, asked, 0.0)]
        cases += [("even", 0.9, again, correlation) for correlation in (0.0, 0.5, 1.0)]
        cases += [("wordings drawn", 0.9, asked, 0.0)]
        for spread, common, prompts, correlation in cases:
            pair = replace(at_margin(claim, prompts, rng, repeats, spread, common), correlation=correlation)
            answered = Answered(claim, *pair.draw(prompts, repeats, rng), prompts)
            for rule in RULES:
                # A bettor needs prompts that are independent: one a topic.
                if prompts is again and not isinstance(rule, Looks):
                    continue
                verdicts = rule.judge(answered).verdicts
                rows.append(
                    {
                        "claim": claim.name,
                        "rule": rule.name,
                        "spread": spread,
                        "common": common,
                        "prompts_a_topic": 3 if prompts is again else 1,
                        "correlation": correlation,
                        "holds": _per_cent(verdicts == 1),
                        "broken": _per_cent(verdicts == -1),
                        "share": 100 * ALPHA / SHARES,
                    }
                )
    return rows


def needed_rows(asked: Design, repeats: int, rng: Generator) -> list[Row]:
    """With how many prompts, one a topic, a good candidate passes and a fall of ten points is broken."""
    rows = []
    for rate in RATES:
        for common in AGREEMENTS[1:]:
            for label, more in (("as good passes", 0.0), ("ten points broken", 0.1)):
                found = None
                for prompts in (450, 600, 750, 900, 1200, 1500, 1800, 2400, 3000):
                    rule = _four_looks(prompts)
                    gate = Gate(
                        Pair(1 - rate, more=more, common=common),
                        _longer(asked, prompts),
                        repeats,
                        rng,
                        [rule],
                    )
                    if gate.row("")["broken" if more else "passes"] >= 95:
                        found = prompts
                        break
                rows.append({"rate": rate, "common": common, "what": label, "prompts": found})
    return rows


def _four_looks(budget: int) -> Looks:
    """The four looks, the last at another budget."""
    *early, last = FOUR.looks
    return Looks("", (*early, Judged(budget, last.part)))


def _longer(asked: Design, prompts: int) -> Design:
    """The design over and over, each prompt about a topic of its own."""
    return Design(np.resize(asked.lengths, prompts), np.resize(asked.wordings, prompts), np.arange(prompts))


def kept(rows: Iterable[Row], repeats: int) -> list[str]:
    """What of the promises at the margins is not kept.

    A rate may exceed alpha by two standard errors: by what a binomial number exceeds in 2.3 %, since for a
    share of alpha a few hundred repeats give hardly one case.
    """
    broken = []
    for row in rows:
        for verdict, alpha in (("holds", ALPHA), ("broken", row["share"] / 100)):
            most = 100 * float(binom.isf(0.0228, repeats, alpha)) / repeats
            if row[verdict] > most and row["spread"] != "wordings drawn":
                broken.append(
                    f"{row['rule']}: {row['claim']}, {row['spread']}, {row['prompts_a_topic']} prompts "
                    f"a topic, correlation {row['correlation']:g}: {verdict} in {row[verdict]} % "
                    f"(at most {most:.2f})"
                )
    return broken
