"""Report of a scan: a table for a terminal, Markdown, JSON, and a map of the components."""

from __future__ import annotations

import json
from statistics import mean
from typing import TYPE_CHECKING, Any

from lengthprobe.components.names import Component, every_component
from lengthprobe.errors import ReportError
from lengthprobe.reporting.files import write_whole
from lengthprobe.reporting.markdown import plain
from lengthprobe.reporting.names import name_of
from lengthprobe.reporting.quantities import printed_numbers
from lengthprobe.reporting.tables import spans
from lengthprobe.scan.effects import most_as_strong
from lengthprobe.statistics.check import Numbers
from lengthprobe.statistics.digits import interval_name
from lengthprobe.untrusted_text import escaped_text, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lengthprobe.scan.partial_scan import PartialScan
    from lengthprobe.scan.plan import Plan
    from lengthprobe.scan.scanning import Found

JSON, MARKDOWN, MAP = "scan.json", "scan.md", "effect_map.svg"
# The purposes that count as the search for the top. The other cost measured the top and the random sample.
_FINDING = ("attribution", "gradient", "forcing", "finding")


def as_dict(
    found: Found,
    estimates: Mapping[str, Mapping[str, float | None]],
    identity: Mapping[str, Any],
    shape: tuple[int, int],
    plan: Plan,
    kept: PartialScan,
    alpha: float,
) -> dict[str, Any]:
    """The results of a scan for JSON.

    Args:
        found: The results.
        estimates: The estimates of every component.
        identity: The checkpoint's identity, by `Identity.as_dict`.
        shape: The number of layers, and of heads in each layer.
        plan: The plan of the scan.
        kept: The answers behind the results, and their cost.
        alpha: One-sided error rate of each end of an interval.
    """
    return {
        "schema": 1,
        "model": dict(identity),
        "plan": {name: getattr(plan, name) for name in plan.__slots__},
        "shape": {"n_layers": shape[0], "n_heads": shape[1]},
        "alpha": alpha,
        "exact": found.exact,
        "top": [{**effect.as_dict(), **estimates[effect.component]} for effect in found.top],
        "measured": [effect.as_dict() for effect in found.every],
        "sample": {
            "components": [component.name for component in found.sample],
            "as_strong": [component.name for component in found.strong],
            "prompts": plan.screened,
            "others": found.others,
            "at_most": most_as_strong(len(found.strong), len(found.sample), found.others, alpha=alpha),
        },
        "estimates": {name: dict(estimate) for name, estimate in estimates.items()},
        "cost": {
            **kept.cost,
            "total": sum(kept.cost.values()),
            "every component": _of_every_component(found, list(estimates), plan, kept),
        },
    }


def effect_headers(alpha: float) -> tuple[str, ...]:
    """The headers of the table's columns; alpha is the one-sided error rate of each end of an interval."""
    interval = interval_name(alpha)
    return (
        *("component", "exact falls by", interval, "|error| rises by", interval),
        *("foretold", "CWA", "number swap", "gradient"),
    )


def _of_every_component(ranking: Found, components: Sequence[str], plan: Plan, kept: PartialScan) -> float:
    """The cost of a full scan in steps of a row: an estimate, and exact after a full scan.

    Answers under an ablation run longer than the whole model's. Without any answer under a component's
    ablation, the answers are taken to be as long as under the components drawn by chance.
    """
    lengths = [len(tokens) + 1 for tokens, *_ in kept.responses.values()]
    means = {name: mean(steps for _, _, steps in answers.values()) for name, answers in kept.answers.items()}
    drawn = [means[component.name] for component in ranking.sample]
    others = mean(drawn) if drawn else mean(lengths)
    return plan.prompts * (mean(lengths) + sum(means.get(name, others) for name in components))


def lines(report: Mapping[str, Any]) -> list[str]:
    """The lines of the report for a terminal."""
    from tabulate import tabulate

    name = printable(name_of(report["model"]))
    rows, titles = [_cells(row) for row in report["top"]], effect_headers(report["alpha"])
    table = tabulate(rows, titles, tablefmt="simple", disable_numparse=True)
    return [f"{name}: {_headline(report)}", "", *table.splitlines(), "", *_told(report)]


def markdown(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    titles = effect_headers(report["alpha"])
    cells = [[plain(cell) for cell in row] for row in [titles, *map(_cells, report["top"])]]
    rows = [cells[0], ["---"] * len(cells[0]), *cells[1:]]
    table = [f"| {' | '.join(row)} |" for row in rows]
    sentences = [line for sentence in _told(report) for line in ("", plain(sentence))]
    return (
        "\n".join([f"## {plain(name_of(report['model']))}: {_headline(report)}", "", *table, *sentences])
        + "\n"
    )


def scan_files(folder: Path) -> tuple[Path, ...]:
    """All files of a scan's report in its folder; the file with the numbers first."""
    return tuple(folder / name for name in (JSON, MARKDOWN, MAP))


def write(folder: Path, report: Mapping[str, Any]) -> None:
    """Write scan.json, scan.md and the map into a folder, which is made; each file whole or not at all.

    Raises:
        ReportError: A file cannot be written.
    """
    texts = {
        MAP: effect_map_svg(report),
        MARKDOWN: markdown(report),
        JSON: json.dumps(_finite(report), indent=2, allow_nan=False) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(folder / name, text)
    except OSError as error:
        raise ReportError(
            f"the report cannot be written to {folder}: {error.strerror or error}",
            "name a folder that can be written to: --report=DIR",
        ) from error


def effect_map_svg(report: Mapping[str, Any]) -> str:
    """The map of effects as an SVG file."""
    from lengthprobe.reporting.figures import effect_map
    from lengthprobe.reporting.svg import draw_svg, style

    falls = {name: estimate["foretold"] for name, estimate in report["estimates"].items()}
    falls |= {effect["component"]: effect["fall"]["mean"] for effect in report["measured"]}
    n_layers, n_heads = report["shape"]["n_layers"], report["shape"]["n_heads"]
    measured = {effect["component"] for effect in report["measured"]}
    name = escaped_text(name_of(report["model"]), 48).replace("\n", " ")
    shown = {
        "title": f"{name}, {report['plan']['language']}, {report['plan']['mode']} ablation",
        "heads": [
            [falls.get(Component(layer, head).name) for head in range(n_heads)] for layer in range(n_layers)
        ],
        "mlps": [falls.get(Component(layer).name) for layer in range(n_layers)],
        "measured": [
            (component.layer, component.head)
            for component in every_component(n_layers, n_heads)
            if component.name in measured
        ],
    }
    with style():
        label = f"{effect_map.TITLE}. {effect_map.caption()}"
        return draw_svg(effect_map.figure(shown), "effect-map", label).file


def _headline(report: Mapping[str, Any]) -> str:
    plan = report["plan"]
    return (
        f"{100 * report['exact']:.1f} % of {plan['prompts']} answers exact in {plan['language']}; "
        f"each component alone ablated ({plan['mode']})"
    )


def _cells(row: Mapping[str, Any]) -> list[str]:
    fall, falls, _ = printed_numbers(Numbers(**row["fall"]))
    rise, rises, _ = printed_numbers(Numbers(**row["rise"]))
    foretold = row["foretold"]
    return [
        row["component"], fall, falls, rise, rises,
        "" if foretold is None else f"{100 * foretold + 0.0:.1f} %",
        *(_logits(row[name]) for name in ("cwa", "number_swap", "gradient")),
    ]  # fmt: skip


def _logits(value: float | None) -> str:
    return "" if value is None else f"{round(value, 2) + 0.0:.2f}"


def _told(report: Mapping[str, Any]) -> list[str]:
    """The lines below the table."""
    cost, sample, plan = report["cost"], report["sample"], report["plan"]
    every, finding = cost["every component"], sum(cost.get(name, 0) for name in _FINDING)
    sure = sum(row["fall"]["low"] > 0 for row in report["top"])
    sentences = []
    if sure < len(report["top"]):
        sentences.append(
            f"the interval of the fall lies above 0 for {sure} of these {len(report['top'])} components (not "
            "corrected for how they were chosen); the others cannot be told from none"
        )
    if plan["full"]:
        sentences.append(f"every component was ablated on all {plan['prompts']} prompts")
    elif sample["components"]:
        strong = ", ".join(sample["as_strong"])
        sentences.append(
            f"of the {sample['others']} other components {len(sample['components'])}, drawn by chance, were "
            f"ablated on {sample['prompts']} prompts: {len(sample['as_strong'])} with a fall, and as strong "
            "as the weakest of the top"
            + (f" ({strong}; now measured too)" if strong else "")
            + f"; of all {sample['others']} at most {sample['at_most']} are (at alpha {report['alpha']:g})"
        )
    model = report["model"]
    sentences.append(
        f"asked in {model['prompt_form']} form for {spans(tuple(model['lengths']))} words; "
        f"cap {model['cap']} tokens; counter {model['counter']}; seed {plan['seed']}"
        + (f"; system prompt '{printable(model['system_prompt'], 60)}'" if model["system_prompt"] else "")
    )
    if plan["full"]:
        return [*sentences, f"cost: {cost['total']:.0f} steps of a row"]
    sentences.append(
        f"cost: {cost['total']:.0f} steps of a row, about {100 * cost['total'] / every:.0f} % of ablating "
        f"every component on all prompts; about {100 * finding / every:.0f} % were to find the top"
    )
    if cost["total"] > every:
        sentences.append("to ablate every component would have cost less: --full")
    return sentences


def _finite(value: Any) -> Any:
    """The value with None in place of NaN and infinity, which JSON lacks."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and value - value != 0 else value
