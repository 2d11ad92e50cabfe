"""Reports and portraits made up for the tests: no model was asked."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.reporting.page import write_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SENTENCE = ("Secret", "owls", "guard", "lonely", "dreams")
HOSTILE = (
    "</text><script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "\x1b[31mred\x00\x0b",
    "\u202eevil\u2066",
    "w" * 500,
    r"$\frac{1}$",
    "שלום",
    "]]>",
    "&amp;&#60;",
    "\ud800\ufffe\uffff",
    "{{ 7*7 }}{% raw %}",
    '" onmouseover="alert(1)" x=\'',
)


class Reader(HTMLParser):
    """What a browser makes of a page: its tags with the names of their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.values, self.shown = [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Keep a tag."""
        self.tags.append((tag, *(name for name, _ in attrs)))
        self.values += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data):
        """Keep text."""
        self.shown += data


@pytest.fixture(scope="session")
def reader() -> type[Reader]:
    """Return a function that reads the text of a page."""
    return Reader


@pytest.fixture
def shown(tmp_path: Path) -> Callable[..., Reader]:
    """Return a function that writes a report and reads its page."""
    return lambda *data: Reader(write_report(tmp_path, *data).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def portrait() -> Callable[..., dict[str, Any]]:
    """Return a function that makes the portrait of a checkpoint."""
    return make_portrait


@pytest.fixture(scope="session")
def report() -> Callable[..., dict[str, Any]]:
    """Return a function that makes a report as the ledger writes it."""
    return make_report


@pytest.fixture(scope="session")
def claim() -> Callable[..., dict[str, Any]]:
    """Return a function that makes a claim of a report."""
    return make_claim


@pytest.fixture(scope="session")
def check() -> Callable[..., dict[str, Any]]:
    """Return a function that makes a check of a claim."""
    return make_check


@pytest.fixture(scope="session")
def hostile() -> tuple[str, ...]:
    """Return words that a model might write, and that no page may take for anything but words."""
    return HOSTILE


@pytest.fixture(scope="session")
def beside() -> Callable[..., dict[str, Any]]:
    """Return a function that makes an estimate beside a claim."""
    return make_beside


@pytest.fixture(scope="session")
def changed() -> dict[str, Any]:
    """Return the reference's value of a measure, and prompts that changed, by language."""
    written = {"n_words": 3, "text": "Salty harbors cradle", "cut_off": False}
    worst = {
        "asked": 3,
        "topic": "night",
        "prompt": "Write exactly three words about the night.",
        "candidate": {"n_words": 90, "text": "Silver gulls carry deep islands", "cut_off": True},
        "reference": written,
    }
    key = {"name": "length_error", "options": [], "checkpoint": "approved", "language": "en", "lengths": []}
    value = {"measure": key, "mean": 0.5, "low": 0.4, "high": 0.6, "n": 300, "clusters": 151, "unit": "words"}
    told = {"n": 300, "texts": 40, "worse": 7, "better": 2, "worst": [worst, worst]}
    return {"en": {"values": [value], "changed": told}, "it": {"values": []}}


def make_portrait(
    name: str = "tiny-it",
    n_layers: int = 5,
    n_heads: int = 4,
    *,
    size: float = 8.0,
    languages: tuple[str, ...] = ("en", "it"),
    words: tuple[str, ...] = SENTENCE,
    **changes: Any,
) -> dict[str, Any]:
    """A portrait whose values grow towards the last layer, up to `size` in its first head."""
    late = list(range(n_layers - math.ceil(n_layers / 4), n_layers))
    heads = [
        [size * 2.0 ** (layer + 1 - n_layers) / (head + 1) for head in range(n_heads)]
        for layer in range(n_layers)
    ]
    by_layer = [_around(sum(row)) for row in heads]
    example = {
        "prompt": f"Write exactly {len(words)} words.",
        "response": " ".join(words),
        "n_words": len(words),
        "words": [_word(word, size, ends=False) for word in words] + [_word("", size, ends=True)],
    }
    measured = {
        "n": 300,
        "clusters": 151,
        "heads_by_layer": by_layer,
        "mlps_by_layer": by_layer[::-1],
        "head_map": heads,
        "final_mlp_by_length": {str(n): _around(size * n) for n in range(3, 10)},
        "late_heads_by_length": {str(n): _around(-size * n) for n in range(3, 10)},
        "example": example,
    }
    by_component = {
        "heads_by_layer": [_share(row[0] / 100) for row in heads],
        "mlps_by_layer": [_share(row[0] / 50) for row in heads],
    }
    swap = {
        "n": 299,
        "clusters": 150,
        "cwa": by_component | {"late_heads": _share(size / 40), "final_mlp": _share(-0.0004)},
        "number_swap": by_component | {"late_heads": _share(0.001), "final_mlp": _share(-size / 20)},
    }
    return {
        "name": name,
        "architecture": "llama",
        "n_layers": n_layers,
        "n_heads": n_heads,
        "late_layers": late,
        "cap": 100,
        "completeness_gap": 1.2e-6,
        "languages": dict.fromkeys(languages, measured),
        "number_swap": dict.fromkeys(languages, swap),
        "causes": {code: {"heads": _causes(languages)} for code in languages},
        "faithfulness": dict.fromkeys(languages, _faithfulness(size)),
    } | changes


def make_check(expression: str = "length_error(m, en) > 0", **changes: Any) -> dict[str, Any]:
    """A check that holds."""
    return {
        "expression": expression,
        "verdict": "holds",
        "mean": 0.25,
        "low": 0.1,
        "high": 0.4,
        "n": 300,
        "clusters": 151,
        "margin": 0.0,
        "unit": "words",
        "reason": "the whole interval lies above 0",
        "advice": None,
        "unmet": False,
        "background": [],
        "worst": [],
        "relation": _relation(expression),
        "measures": [],
    } | changes


def make_beside(name: str, **numbers: Any) -> dict[str, Any]:
    """An estimate beside a claim: a measure in English of the checkpoint m."""
    found = {"mean": 0.25, "low": 0.1, "high": 0.4, "n": 300, "clusters": 151, "unit": "words"}
    return {"name": f"{name}(m, en)", **found, "reason": "", "unmet": False, "label": name} | numbers


def _relation(expression: str) -> dict[str, Any] | None:
    """How a made-up expression compares."""
    found = re.search(r" (?P<sign><=|>=|<|>) (?P<right>[^<>]+)$", expression)
    if found is None:
        return None
    against = "" if re.fullmatch(r"-?[\d.]+", found["right"]) else found["right"]
    return {"sign": found["sign"], "magnitude": expression.startswith("abs("), "against": against}


def make_claim(verdict: str = "holds", *checks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A claim with one check that has its verdict, where no other is given."""
    return {
        "nodeid": "test_it.py::test_it_is_so[en]",
        "claim": "it is so",
        "statement": "It is so.",
        "source": "a paper",
        "kind": "requirement",
        "language": "en",
        "published": "-0.07",
        "verdict": verdict,
        "checks": list(checks) or [make_check(verdict=verdict)],
        "beside": [],
        "message": "",
        "duration_s": 0.1,
        "about": "behaviour",
    } | changes


def make_report(*claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A report of some claims, on a checkpoint named tiny-it where no other is given."""
    claims = claims or (make_claim(),)
    verdicts = ("holds", "broken", "undecided", "error", "skipped", "reported")
    return {
        "schema": 1,
        "model": {"name": "tiny-it", "weights": "a" * 64, "lengths": [3, 4, 5], "commit": None},
        "base": None,
        "reference": None,
        "settings": {
            "languages": ["en", "it"],
            "alpha": 0.05,
            "budget": 300,
            "margins": {"length_error": 0.5},
        },
        "claims": list(claims),
        "totals": {verdict: sum(one["verdict"] == verdict for one in claims) for verdict in verdicts},
    } | changes


def _causes(languages: tuple[str, ...]) -> dict[str, Any]:
    """Nearly all control is lost with the first of two leading heads, and less with random ones."""
    whole = {"k": 2, "n": 75, "clusters": 75, "whole": _share(0.97)}
    by_k = {"1": _share(0.04), "2": _share(0.02), "4": _share(0.01)}
    leading = ["L4H0", "L4H2", "L3H0", "L3H2"]
    elsewhere = {"k": 2, "whole": _share(0.96), "without": _share(0.95)}
    return {
        "without": whole | {"leading": leading, "by_k": by_k},
        "random": whole | {"without": _share(0.8), "sets": [0.7, 0.8, 0.9], "length": 0.75},
        "only": whole | {"with_only": _share(0.9)},
        "elsewhere": {languages[-1]: elsewhere},
    }


def _faithfulness(size: float) -> dict[str, Any]:
    return {
        "correlation": [0.45, 0.19, 0.7],
        "components": {
            "L4H0": [size, 9.0],
            "MLP3": [2 * size, 0.1],
            "L0H0": [0.0, 0.0],
            "MLP4": [-size, 0.3],
        },
    }


def _around(mean: float) -> list[float]:
    return [mean, mean - 1.0, mean + 1.0]


def _share(mean: float) -> list[float]:
    return [mean, mean - 0.01, mean + 0.01]


def _word(text: str, size: float, *, ends: bool) -> dict[str, Any]:
    return {"text": text, "late_heads": size, "final_mlp": -size / 2, "other": 0.25, "ends": ends}
