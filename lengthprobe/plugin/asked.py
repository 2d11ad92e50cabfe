"""What the options ask for, read and checked before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import LengthprobeError, SettingsError
from lengthprobe.plugin.options import FLAGS, MARGINS, SWITCHES, is_switched_on, option_value
from lengthprobe.plugin.refusal import refusal
from lengthprobe.settings import TOKENS_A_WORD, Settings, read_lengths

if TYPE_CHECKING:
    from collections.abc import Callable

    from lengthprobe.margins import Margins


def read_settings(config: pytest.Config) -> Settings:
    """The settings that the options ask for.

    Raises:
        pytest.UsageError: An option has a value that cannot be used; the message names it and one that can.
    """
    read: tuple[tuple[str, Callable[[str], Any]], ...] = (
        ("languages", _names),
        ("lengths", read_lengths),
        ("budget", _whole),
        ("alpha", _real),
        ("seed", _whole),
        ("counter", str),
        ("cap", _whole),
        ("prompt-form", str),
        ("system-prompt", lambda text: text if text.strip() else None),
        ("thinking", str),
        ("device-map", str),
        ("dtype", str),
        ("batch-size", _batch_size),
    )
    values: dict[str, Any] = {flag.name: config.getoption(flag.dest) for flag in FLAGS}
    values |= {switch.name: is_switched_on(config, switch.name) for switch in SWITCHES}
    for name, reader in read:
        text = option_value(config, name)
        if text is not None:
            values[name] = _value(config, name, text, reader)
    try:
        settings = Settings(**{name.replace("-", "_"): value for name, value in values.items()})
        _check(settings, read_margins(config))
    except LengthprobeError as error:
        raise pytest.UsageError(str(error)) from error
    return settings


def read_margins(config: pytest.Config) -> Margins:
    """The margins of the claims, with those that the ini file replaces.

    Raises:
        SettingsError: The ini file names no margin, or gives no number.
    """
    from lengthprobe.margins import Margins

    return Margins().overridden(config.getini(MARGINS))


def _value(config: pytest.Config, name: str, text: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        dest = f"lengthprobe_{name.replace('-', '_')}"
        where = "" if config.getoption(dest) is not None else f" ({dest} in {config.inipath})"
        raise refusal(f"--lengthprobe-{name}={text}: {error}{where}") from error


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("this is no whole number") from None


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("this is no number") from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _batch_size(text: str) -> int | None:
    return None if text == "auto" else _whole(text)


def _check(settings: Settings, margins: Margins) -> None:
    from lengthprobe.task.languages import load_language

    topics = [len(load_language(code).topics) + 1 for code in settings.languages]
    if max(settings.lengths) > settings.cap:
        raise SettingsError(
            f"cap {settings.cap}: an answer of {max(settings.lengths)} words has more tokens than that",
            f"--lengthprobe-cap={TOKENS_A_WORD * max(settings.lengths)}, or shorter lengths",
        )
    needed = _fewest_topics(margins, settings.alpha)
    if min(settings.budget, *topics) < needed:
        raise SettingsError(
            f"budget {settings.budget}: at alpha {settings.alpha:g} even a perfect model needs prompts about "
            f"{needed} topics before any claim can be decided",
            f"--lengthprobe-budget={needed} or more; 300 leaves room for error"
            if needed <= min(topics)
            else f"there are {min(topics)} topics: --lengthprobe-alpha=0.05, or wider margins",
        )


def _fewest_topics(margins: Margins, alpha: float) -> int:
    """The least number of topics with which any share's requirement could hold of a perfect model."""
    from lengthprobe.statistics.planning import smallest_topics

    shares = (
        *((margins.exact_match, 1.0),),
        *((margin, 0.0) for margin in (margins.runaways, margins.short_answers, margins.preambles)),
        (margins.counter_disagreement, 0.0),
    )
    possible = [
        smallest_topics(margin, (0.0, 1.0), alpha, best=best)
        for margin, best in shares
        if 0 <= margin <= 1 and margin != best
    ]
    return min(possible, default=2)
