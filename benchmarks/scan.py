"""Measure what a scan finds of the top ten of a full one, and for what part of its cost.

    python benchmarks/scan.py                       # fixture models, English and Italian
    python benchmarks/scan.py --shape 210m          # a model of random weights: what the estimates cost

The full scan ablates every component on every prompt. The top ten are its ten strongest; of those, the ones
whose fall of exact match is above noise (its interval lies above 0) are what can be found at all. Costs are
steps of a row: each token written with a component ablated is one, and so is a text that is forced; a
backward pass counts as two more.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from random_llama import SHAPES, random_llama, random_rows
from tabulate import tabulate

from lengthprobe.attribution.gradient import first_order_effects
from lengthprobe.components.ablation import Surgery
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.names import Ablation, every_component
from lengthprobe.probe import Probe
from lengthprobe.scan.command import scan
from lengthprobe.scan.plan import Plan
from lengthprobe.settings import Settings

MODELS = ("tiny-it", "tiny-it-2", "tiny-it-3", "attribution-without-cause")
ESTIMATING = ("attribution", "gradient", "forcing")
FINDING = ("finding", *ESTIMATING)


def compare(name: str, language: str, plan: Plan, settings: Settings) -> list[Any]:
    """One row of the table: a scan of a model, and the full scan of it."""
    settings = replace(settings, languages=(language,))
    start = time.process_time()
    found = scan(Probe(name, settings), replace(plan, language=language))
    between = time.process_time()
    full = scan(Probe(name, settings), replace(plan, language=language, full=True, sample=0))
    took = between - start, time.process_time() - between
    real = [one["component"] for one in full["top"]]
    sure = [one["component"] for one in full["top"] if one["fall"]["low"] > 0]
    top = {one["component"] for one in found["top"]}
    # Before chance had its say, the estimates and rounds of ablation had chosen these.
    likely = {one["component"] for one in found["measured"]} - set(found["sample"]["as_strong"])
    # What the full scan spends on estimates, it spends for its table alone.
    whole = full["cost"]["total"] - sum(full["cost"].get(one, 0) for one in ESTIMATING)
    finding = sum(found["cost"].get(one, 0) for one in FINDING)
    missed = {one["component"]: one["fall"]["mean"] for one in full["top"] if one["component"] in sure}
    return [
        name,
        language,
        f"{len(top & set(sure))}/{len(sure)}",
        f"{len(likely & set(sure))}/{len(sure)}",
        f"{len(top & set(real))}/{len(real)}",
        " ".join(f"{one} {100 * fall:.0f}%" for one, fall in missed.items() if one not in top),
        f"{finding / whole:.3f}",
        f"{found['cost']['total'] / whole:.3f}",
        f"{took[0] / took[1]:.3f}",
    ]


HEADERS = (
    *("model", "language", "found of those above noise", "without chance", "found of the top ten", "missed"),
    *("cost of finding", "cost with measuring", "processor time"),
)


def fixtures(options: argparse.Namespace) -> None:
    """Print the table for the fixture models."""
    plan = Plan("en", top=options.top, prompts=options.prompts, sample=options.sample, mode=options.mode)
    settings = Settings(languages=("en",), budget=100, cap=50, device_map="cpu", batch_size=64)
    rows = []
    for name in options.models:
        for language in options.languages.split(","):
            rows.append(compare(name, language, plan, settings))
            print(tabulate(rows, HEADERS, disable_numparse=True), flush=True)
            print(flush=True)


def shape(options: argparse.Namespace) -> None:
    """Print what a scan of a model of some shape costs, from what each kind of pass takes there."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    model = random_llama(options.shape, dtype, device)
    anatomy = anatomy_of(model)
    components = every_component(anatomy.n_layers, anatomy.n_heads)
    n, prompt, response = options.batch, 48, 14
    rows = random_rows(model, n, prompt, response)
    weights = torch.zeros(rows.ids.shape, device=device)
    weights[:, -1] = 1
    cuts = tuple(Ablation(zero=(components[at % len(components)],)) for at in range(n))

    def forced() -> None:
        with torch.inference_mode(), Surgery(anatomy, cuts).applied():
            model.get_decoder()(rows.ids, attention_mask=rows.mask, use_cache=False)

    def written() -> None:
        with torch.inference_mode(), Surgery(anatomy, cuts).applied():
            model.generate(
                rows.ids[:, :prompt],
                attention_mask=rows.mask[:, :prompt],
                do_sample=False,
                max_new_tokens=response,
                pad_token_id=0,
            )

    def gradient() -> None:
        first_order_effects(model, rows.ids, rows.mask, weights, end_token_ids=(1, 2))

    seconds = {one.__name__: _seconds(one, device) / n for one in (forced, written, gradient)}
    plan = Plan("en", top=options.top, prompts=options.prompts, sample=options.sample)
    counted = _rows(plan, len(components))
    part = {
        "estimates": counted["estimates"] * seconds["gradient"] + 4 * plan.screened * seconds["forced"],
        "forcing": counted["forced"] * seconds["forced"],
        "rounds": counted["finding"] * seconds["written"],
        "measuring and chance": counted["measuring"] * seconds["written"],
    }
    full = len(components) * plan.prompts * seconds["written"]
    told = [[name, f"{one:.1f}", f"{one / full:.4f}"] for name, one in part.items()]
    told += [["together", f"{sum(part.values()):.1f}", f"{sum(part.values()) / full:.4f}"]]
    told += [["full scan", f"{full:.1f}", "1"]]
    print(f"{options.shape}: {len(components)} components, {plan.prompts} prompts; {device.type}, batch {n}")
    print(", ".join(f"{name} {1000 * one:.2f} ms a row" for name, one in seconds.items()))
    print(tabulate(told, ("part", "seconds", "ratio"), disable_numparse=True))


def _rows(plan: Plan, components: int) -> dict[str, int]:
    """How many rows each part of a scan has, at the most."""

    def new(rungs: Sequence[Any]) -> int:
        before = [0, *(one.prompts for one in rungs)]
        return sum(one.components * (one.prompts - seen) for one, seen in zip(rungs, before, strict=False))

    return {
        "estimates": plan.screened,
        "forced": new(plan.forced_rungs(components)),
        "finding": plan.screened + new(plan.written_rungs(components)),
        "measuring": plan.prompts * (1 + plan.top) + plan.sample * plan.screened,
    }


def _seconds(run: Any, device: torch.device) -> float:
    """The fastest of three runs, after one to warm up."""
    took = []
    for _ in range(4):
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        took.append(time.perf_counter() - start)
    return min(took[1:])


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--languages", default="en,it")
    parser.add_argument("--top", type=int, default=10)
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--sample", type=int, default=10)
    parser.add_argument("--mode", default="zero")
    parser.add_argument("--shape", choices=SHAPES)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    shape(options) if options.shape else fixtures(options)


if __name__ == "__main__":
    main()
