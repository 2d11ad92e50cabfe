"""How often a claim is decided wrongly where the truth sits at its margin, on data made to mislead.

Usage: python benchmarks/margins.py [--repeats 400] [--seed 0] [--save FILE] [--before FILE]

A claim whose mean is its margin may hold in 5 %, and be broken in 5 % over the number of checks that share
alpha: so far its two errors are promised. Only what claims themselves use is imported, so that the same data
can be tried on another commit (PYTHONPATH=CHECKOUT, --save FILE) and be put beside these (--before FILE).
"""

from __future__ import annotations

import argparse
import json
import math
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lengthprobe.measures.attribution.by_component import ByComponent
from lengthprobe.measures.attribution.fall_of_share import fall_of_share
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.sample import Sample
from lengthprobe.statistics.share import share
from lengthprobe.task.prompts import Prompt

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

    from lengthprobe.statistics.verdict import Verdict

    Floats = NDArray[np.float64]

# As in a run of both suites in two languages.
ALPHA_SHARES = 68
CORRELATION = 0.2
RATE = (0.0, 1.0)


def estimate(
    values: Floats,
    topics: Floats,
    *,
    whole: Floats | None = None,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """The estimate of values [n] on prompts about some topics [n]."""
    keys = [f"topic {int(key)}" for key in topics]

    def observed(of_each: Floats) -> tuple[Observation, ...]:
        rows = enumerate(zip(keys, of_each.tolist(), strict=True))
        return tuple(Observation(f"p{at}", key, value) for at, (key, value) in rows)

    total = None if whole is None else Sample(observed(whole), None)
    return Estimate.from_observations(
        observed(values), name="x", unit="logits", bounds=bounds, alpha_shares=ALPHA_SHARES, whole=total
    )


def rate(
    rng: Generator, *, p: float, sizes: tuple[int, ...], topics: int, correlation: float = 1.0
) -> Verdict:
    """`rate < p` where the rate is p; with a correlation of 1 a topic fails as a whole."""
    asked = np.repeat(np.arange(topics), np.resize(sizes, topics))
    of_topic, own = rng.random(topics)[asked], rng.random(len(asked))
    taken = rng.random(len(asked)) < math.sqrt(correlation)
    failed = np.where(taken, of_topic, own) < p
    return estimate(failed.astype(float), asked, bounds=RATE) < p


def mean(rng: Generator, *, shape: str, topics: int, prompts: int = 2) -> Verdict:
    """`mean > m` where the mean is m, and the long tail of the values lies below."""
    values, true = _tailed(shape, rng, (topics, prompts))
    return estimate(values.ravel(), np.repeat(np.arange(topics), prompts)) > true


def share_of(rng: Generator, *, shape: str, true: float, topics: int = 150) -> Verdict:
    """`share(x) > m` where the share is m; a runaway answer is -4 of x and of the whole."""
    size = (topics, 2)
    if shape == "runaways":
        away = rng.random(size) < 0.01
        part = np.where(away, -4.0, 3 * true + 0.1 * rng.normal(size=size))
        whole = np.where(away, -4.0, 1 + 0.3 * rng.normal(size=size))
        true = (0.99 * 3 * true - 0.04) / (0.99 - 0.04)
    else:
        (values, centre), common = _tailed(shape, rng, size), rng.normal(size=size)
        whole = 1 + 0.4 * common
        part = true * whole + 0.1 * (values - centre)
    return share(estimate(part.ravel(), np.repeat(np.arange(topics), 2), whole=whole.ravel())) > true


def share_of_many(
    rng: Generator,
    *,
    components: int,
    true: float,
    spread: float = 1.0,
    margin: float | None = None,
    topics: int = 150,
) -> Verdict:
    """`share(late) > m` of components of which 20 do anything, and the last eighth of the others has a share.

    The spread of one component over prompts is so many times the largest mean.
    """
    n_late = min(8, components // 6)
    means = np.zeros(components)
    active = min(20, components - n_late)
    means[:active] = np.linspace(1, 0.3, active) * np.where(np.arange(active) % 3 == 2, -1, 1)
    means[-n_late:] = true / (1 - true) * np.abs(means).sum() / n_late
    asked = np.repeat(np.arange(topics), 2)
    of_topic = rng.normal(size=(topics, components))[asked]
    own = rng.normal(size=(len(asked), components))
    values = means + spread * (math.sqrt(CORRELATION) * of_topic + math.sqrt(1 - CORRELATION) * own)
    prompts = [Prompt(f"p{at}", "en", 3, f"topic {key}", "", "") for at, key in enumerate(asked)]
    by_component = ByComponent(
        prompts, [""] * len(prompts), heads=values[:, None, :], mlps=np.zeros((len(prompts), 1))
    )
    late = values[:, -n_late:].sum(1)
    return share(estimate(late, asked, whole=by_component.whole)) > (true if margin is None else margin)


def fall(rng: Generator, *, follows: float, true: float = 0.1, runaways: float = 0.0) -> Verdict:
    """`fall_of_share(candidate, reference) < 0.5` where the candidate has half of the reference's share.

    `follows` says how much of the reference's own deviation the candidate shares, prompt by prompt.
    """
    topics = 150
    own = 0.2 * rng.normal(size=topics)
    before = true + own
    now = true / 2 + follows * own + 0.04 * rng.normal(size=topics)
    now += 0.2 * math.sqrt(max(0.0, 0.25 - follows**2)) * rng.normal(size=topics)
    wholes = 1 + 0.2 * rng.normal(size=(2, topics))
    # Rare prompts far below, which the others make up for.
    now += 2 * (runaways - (rng.random(topics) < runaways))
    keys = np.arange(topics)
    return fall_of_share(estimate(now, keys, whole=wholes[0]), estimate(before, keys, whole=wholes[1])) < 0.5


def _tailed(shape: str, rng: Generator, size: tuple[int, int]) -> tuple[Floats, float]:
    """Values [topics, prompts] whose tail lies below, and their mean; topics correlate but for runaways."""
    level = math.sqrt(CORRELATION) * rng.normal(size=(size[0], 1))
    normal = level + math.sqrt(1 - CORRELATION) * rng.normal(size=size)
    if shape == "normal":
        return normal, 0.0
    if shape == "exponential":
        # Two normal values squared are an exponential one.
        other = math.sqrt(CORRELATION) * rng.normal(size=(size[0], 1))
        other = other + math.sqrt(1 - CORRELATION) * rng.normal(size=size)
        return -(normal**2 + other**2) / 2, -1.0
    if shape == "lognormal":
        return -np.exp(normal), -math.exp(0.5)
    return np.where(rng.random(size) < 0.01, -40.0, normal), -0.4


CASES: tuple[tuple[str, Callable[[Generator], Verdict]], ...] = (
    *(
        (
            f"rate {p:g} < {p:g}, {topics} topics asked {', '.join(map(str, sizes))} times, {told}",
            partial(rate, p=p, sizes=sizes, topics=topics, correlation=level),
        )
        for p, topics, sizes, level, told in (
            (0.1, 40, (1, 6), 1.0, "fail whole"),
            (0.05, 150, (1, 6), 1.0, "fail whole"),
            (0.05, 150, (1, 1, 1, 6), 1.0, "fail whole"),
            (0.05, 150, (1, 2, 3, 4), 0.2, "correlation 0.2"),
            (0.05, 150, (2,), 0.2, "correlation 0.2"),
        )
    ),
    *(
        (f"mean > its value, {told}, {topics} topics", partial(mean, shape=shape, topics=topics))
        for shape, told in (
            ("normal", "normal"),
            ("runaways", "1 % of runaways"),
            ("exponential", "exponential tail"),
            ("lognormal", "lognormal tail"),
        )
        for topics in ((150,) if shape == "runaways" else (10, 30, 150))
    ),
    *(
        (
            f"mean > its value, lognormal tail, {topics} topics",
            partial(mean, shape="lognormal", topics=topics),
        )
        for topics in (2, 3, 5)
    ),
    ("share > its value of 2.1 %, 1 % of runaways", partial(share_of, shape="runaways", true=0.02)),
    *(
        (f"share > its value of 2 %, {shape} tail", partial(share_of, shape=shape, true=0.02))
        for shape in ("normal", "exponential", "lognormal")
    ),
    *(
        (
            f"share > its value of {100 * true:g} %, {components} components",
            partial(share_of_many, components=components, true=true, spread=spread),
        )
        for components, true, spread in (
            (25, 0.02, 1.0),
            (100, 0.02, 3.0),
            (400, 0.02, 1.0),
            (1056, 0.02, 1.0),
            (25, 0.2, 1.0),
            (1056, 0.2, 1.0),
        )
    ),
    (
        "share of 3 % > 2 %, 1056 components (not wrong to hold)",
        partial(share_of_many, components=1056, true=0.03, margin=0.02),
    ),
    ("fall of 0.5 < 0.5, the candidate tracks its reference", partial(fall, follows=0.975)),
    ("fall of 0.5 < 0.5, the candidate does not track it", partial(fall, follows=0.0)),
    ("fall of 0.5 < 0.5 of a reference share of 4 %", partial(fall, follows=0.975, true=0.04)),
    ("fall of 0.5 < 0.5, 2 % of runaways in the candidate", partial(fall, follows=0.975, runaways=0.02)),
)


def errors(claim: Callable[[Generator], Verdict], repeats: int, rng: Generator) -> tuple[float, float]:
    """How many of the repeats hold, and how many are broken, in per cent."""
    statuses = [claim(rng).status for _ in range(repeats)]
    return 100 * statuses.count("holds") / repeats, 100 * statuses.count("broken") / repeats


def print_margins(repeats: int, seed: int, *, save: Path | None = None, before: Path | None = None) -> None:
    """Print the table line by line, beside that of another commit where its figures are given."""
    start = time.process_time()
    others = {} if before is None else json.loads(before.read_text(encoding="utf-8"))
    width = max(len(name) for name, _ in CASES)
    print(f"Error at the margin in %, nominal 5 / {5 / ALPHA_SHARES:.2f}, {repeats} repeats a case\n")
    print(f"{'truth at the margin':{width}}  {'before: holds / broken  ' if others else ''}holds / broken")
    found = {}
    for at, (name, claim) in enumerate(CASES):
        found[name] = errors(claim, repeats, np.random.default_rng([seed, at]))
        beside = f"{_cell(others.get(name)):24}" if others else ""
        print(f"{name:{width}}  {beside}{_cell(found[name])}", flush=True)
    if save is not None:
        save.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"\n{time.process_time() - start:.0f} s at work")


def _cell(values: tuple[float, float] | None) -> str:
    return "" if values is None else f"{values[0]:.1f} / {values[1]:.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How often a claim at its margin is decided wrongly.")
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, help="write the figures to this file too")
    parser.add_argument("--before", type=Path, help="show figures that were saved beside")
    settings = parser.parse_args()
    print_margins(settings.repeats, settings.seed, save=settings.save, before=settings.before)


if __name__ == "__main__":
    main()
