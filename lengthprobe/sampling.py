"""Sampling: the temperature, top-p and top-k with which responses are drawn, as text and as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from lengthprobe.errors import SettingsError
from lengthprobe.nearest import nearest

# As many people deploy a model; what an error message proposes.
USUAL: Final = "temperature=0.7,top-p=0.9"
GREEDY: Final = "greedy"
# The number of samples a prompt, where nobody says; ours.
DEFAULT_SAMPLES: Final = 4
_USUAL_FIX = f"setting:sampling='{USUAL}'"
_GREEDY_FIX = f"setting:sampling={GREEDY}, the default"
_NAMES = ("temperature", "top-p", "top-k")
# Below, a float32 logit has no room; above, all tokens are alike.
_LEAST_TEMPERATURE, _MOST_TEMPERATURE = 0.01, 100.0
_MOST_TOP_K = 10_000_000


@dataclass(frozen=True, slots=True)
class Sampling:
    """The distribution from which each token is drawn.

    Args:
        temperature: The divisor of all logits.
        top_k: How many tokens of the largest logits are kept; None for all. The cut comes before top-p.
        top_p: The probability of the tokens that are kept, the likeliest first; 1 for all.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0

    def __str__(self) -> str:
        """The text that `read_sampling` reads: `temperature=0.7,top-p=0.9`."""
        return ",".join(f"{name}={value}" for name, value in self._stated)

    @property
    def label(self) -> str:
        """The sampling in words: `temperature 0.7, top-p 0.9`."""
        return ", ".join(f"{name} {value}" for name, value in self._stated)

    @property
    def _stated(self) -> list[tuple[str, str]]:
        """The names and values that say something."""
        stated = [("temperature", f"{self.temperature:.12g}")]
        stated += [] if self.top_k is None else [("top-k", str(self.top_k))]
        return stated + ([] if self.top_p == 1 else [("top-p", f"{self.top_p:.12g}")])


def in_words(sampling: Sampling, samples: int, seed: int) -> str:
    """The sampling with the number of samples: `temperature 0.7, 4 samples a prompt, seed 0`."""
    number = "1 sample" if samples == 1 else f"{samples} samples"
    return f"{sampling.label}, {number} a prompt, seed {seed}"


def check_sampling(value: object) -> str | None:
    """The text of a sampling in its shortest form, None for greedy responses.

    Raises:
        SettingsError: The value is no text, or the text names no sampling.
    """
    if value is not None and not isinstance(value, str):
        raise SettingsError(f"sampling {value!r} is no text", _USUAL_FIX)
    sampling = None if value is None else read_sampling(value)
    return None if sampling is None else str(sampling)


def read_sampling(text: str) -> Sampling | None:
    """The sampling that a text names, None for `greedy`.

    >>> read_sampling("temperature=0.7,top-p=0.9").label
    'temperature 0.7, top-p 0.9'

    Raises:
        SettingsError: A name is not known or stands twice, or a value cannot be used.
    """
    parts = [part.strip() for part in text.split(",")]
    if parts == [GREEDY]:
        return None
    values: dict[str, float] = {}
    for part in parts:
        written, equals, value = (each.strip() for each in part.partition("="))
        name = written.lower().replace("_", "-")
        if name not in _NAMES or not equals:
            meant = nearest(name, _NAMES)
            raise SettingsError(
                f"sampling {text!r}: {part!r} is none of {', '.join(f'{each}=N' for each in _NAMES)}"
                + (f"; {meant} is near" if meant and meant != name else ""),
                f"{_USUAL_FIX}; or {_GREEDY_FIX}",
            )
        if name in values:
            raise SettingsError(f"sampling {text!r}: {name} stands twice", _USUAL_FIX)
        values[name] = _number(text, name, value)
    return _checked(text, values)


def _number(text: str, name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise SettingsError(f"sampling {text!r}: {name} {value!r} is no number", _USUAL_FIX)
    return number


def _checked(text: str, values: dict[str, float]) -> Sampling:
    """The sampling with some values.

    Raises:
        SettingsError: A value is out of range, or leaves nothing to draw from.
    """
    temperature, top_p, top_k = values.get("temperature", 1.0), values.get("top-p", 1.0), values.get("top-k")
    if temperature == 0 or top_k == 1:
        alone = "temperature 0" if temperature == 0 else "top-k 1"
        raise SettingsError(f"sampling {text!r}: {alone} draws nothing, and is greedy decoding", _GREEDY_FIX)
    if not _LEAST_TEMPERATURE <= temperature <= _MOST_TEMPERATURE:
        raise SettingsError(
            f"sampling {text!r}: a temperature lies between {_LEAST_TEMPERATURE:g} and {_MOST_TEMPERATURE:g}",
            _USUAL_FIX,
        )
    if not 0 < top_p <= 1:
        raise SettingsError(f"sampling {text!r}: top-p is a probability above 0 and up to 1", _USUAL_FIX)
    if top_k is not None and (top_k != int(top_k) or not 1 < top_k <= _MOST_TOP_K):
        raise SettingsError(
            f"sampling {text!r}: top-k is a whole number from 2 to {_MOST_TOP_K:,}",
            "setting:sampling='temperature=0.7,top-k=50'",
        )
    return Sampling(temperature, None if top_k is None else int(top_k), top_p)
