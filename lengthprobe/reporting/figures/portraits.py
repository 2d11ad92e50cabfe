"""Reading a portrait for the figures: the JSON of the values measured inside a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lengthprobe.reporting.ledger import ROLES
from lengthprobe.reporting.palette import BLUE, GREY, VERMILLION
from lengthprobe.reporting.tables import spans
from lengthprobe.task.languages import available, load_language
from lengthprobe.untrusted_text import escaped_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lengthprobe.portraits.portrait import Portrait

Dash = Literal["-"] | tuple[float, tuple[float, ...]]
_NAME_SHOWN = 48


@dataclass(frozen=True, slots=True)
class Line:
    """The look of a role's checkpoint, which differs from the others in more than the colour."""

    colour: str
    dash: Dash
    marker: str


LINES = {
    "model": Line(BLUE, "-", "o"),
    "base": Line(VERMILLION, (0, (5, 2)), "s"),
    "reference": Line(GREY, (0, (1, 1.5)), "^"),
}


def roles(portraits: Mapping[str, Portrait], language: str | None = None) -> list[str]:
    """The measured roles, the model first; only roles measured in `language` if given."""
    return [
        role
        for role in ROLES
        if role in portraits
        and (measured := portraits[role].get("languages"))
        and (language is None or language in measured)
    ]


def languages(portraits: Mapping[str, Portrait]) -> list[str]:
    """The languages of all measured roles, in the order of the first role."""
    return list(dict.fromkeys(code for role in roles(portraits) for code in portraits[role]["languages"]))


def language_name(code: str) -> str:
    """The name of a language for a reader."""
    return load_language(code).name if code in available() else escaped_text(code, 24)


def label(portraits: Mapping[str, Portrait], role: str) -> str:
    """The name of a checkpoint, with its role unless this is the model under test."""
    name = escaped_text(str(portraits[role]["name"]), _NAME_SHOWN).replace("\n", " ")
    return name if role == "model" else f"{name} ({role})"


def late_layers_of_portraits(portraits: Mapping[str, Portrait]) -> tuple[int, ...]:
    """The late layers of the first checkpoint, for which the axes are drawn."""
    return tuple(portraits[roles(portraits)[0]]["late_layers"])


def late_name(portrait: Portrait) -> str:
    """The late layers in words."""
    layers = tuple(portrait["late_layers"])
    return f"layer {layers[0]}" if len(layers) == 1 else f"layers {spans(layers)}".replace("-", " to ")


def triples(rows: Sequence[Sequence[float | None]]) -> NDArray[np.float64]:
    """Means with the limits of their intervals, [n, 3]; NaN for an unknown number."""
    return np.array([[_number(value) for value in row] for row in rows], dtype=np.float64).reshape(-1, 3)


def grid(rows: Sequence[Sequence[float | None]]) -> NDArray[np.float64]:
    """Means of a table, [rows, columns]."""
    return np.array([[_number(value) for value in row] for row in rows], dtype=np.float64)


def _number(value: float | None) -> float:
    return np.nan if value is None or not np.isfinite(value) else float(value)
