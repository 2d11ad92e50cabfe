"""What the options ask for, read and checked before anything runs."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import LengthprobeError, SettingsError
from lengthprobe.plugin.options import FLAGS, MARGINS, SWITCHES, Option, is_switched_on, option_value
from lengthprobe.plugin.refusal import refusal
from lengthprobe.sampling import DEFAULT_SAMPLES
from lengthprobe.settings import LEAST_ALPHA, TOKENS_A_WORD, Settings, read_lengths
from lengthprobe.statistics.looks import DEFAULT_BUDGET, early_looks, planned_looks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lengthprobe.margins import Margins


def read_settings(config: pytest.Config) -> Settings:
    """The settings that the options ask for.

    Raises:
        pytest.UsageError: An option has a value that cannot be used; the message names it and one that can.
    """
    read: tuple[tuple[str, Callable[[str], Any]], ...] = (
        ("languages", _languages),
        ("lengths", read_lengths),
        ("budget", _whole),
        ("fixed", _whole),
        ("alpha", _real),
        ("seed", _whole),
        ("counter", str),
        ("cap", _whole),
        ("prompt-form", str),
        ("system-prompt", lambda text: text if text.strip() else None),
        ("thinking", str),
        ("sampling", str),
        ("samples", _whole),
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
        values |= _prompts(config, values)
        values.pop("fixed", None)
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
        option = Option(name, "", "")
        value, others = _meant(name, text)
        where, fix = "", f"{option.flag}={value}"
        if config.getoption(option.dest) is None and _is_overridden(config, option.dest):
            where = f" (-o {option.dest})"
        elif config.getoption(option.dest) is None:
            # TOML wants a text between quotes.
            quote = '"' if config.inipath is not None and config.inipath.suffix == ".toml" else ""
            where, fix = f" ({option.dest} in {config.inipath})", f"{option.dest} = {quote}{value}{quote}"
        raise refusal(f"{option.flag}={text}: {error}{where}", fix + others) from error


def _is_overridden(config: pytest.Config, dest: str) -> bool:
    return any(each.partition("=")[0] == dest for each in config.getoption("override_ini") or ())


def _meant(name: str, text: str) -> tuple[str, str]:
    """What can be typed in place of a text that an option cannot have, and a note on what else can be."""
    if name == "languages":
        from lengthprobe.task.languages import available, nearest_language

        known, codes = available(), _names(text)
        near = (code if code in known else nearest_language(code, given=codes) for code in codes)
        meant = [code for code in dict.fromkeys(near) if code is not None]
        return ",".join(meant or _usual(name)), f"; available: {', '.join(known)}"
    if name == "lengths":
        return _forwards(text) or "3-9", ""
    # Of these settings the batch size alone may be left to the probe.
    usual = _usual(name)
    return "auto" if usual is None else str(usual), ""


def _forwards(lengths: str) -> str | None:
    """Lengths with each range from its smaller end on, None where these cannot be asked for either."""
    try:
        turned = re.sub(r"(\d+)-(\d+)", lambda ends: "-".join(sorted(ends.groups(), key=int)), lengths)
        read_lengths(turned)
    except ValueError:
        return None
    return turned


def _usual(name: str) -> Any:
    """The value of a setting that nobody sets."""
    if name in ("budget", "fixed"):
        return DEFAULT_BUDGET
    if name == "samples":
        return DEFAULT_SAMPLES
    (value,) = (field.default for field in fields(Settings) if field.name == name.replace("-", "_"))
    return value


def _languages(text: str) -> tuple[str, ...]:
    from lengthprobe.task.languages import available

    codes, known = _names(text), available()
    unknown = [repr(code) for code in codes if code not in known]
    if unknown:
        raise ValueError(
            f"language {unknown[0]} is not known"
            if len(unknown) == 1
            else f"languages {' and '.join(unknown)} are not known"
        )
    return codes


def _prompts(config: pytest.Config, values: Mapping[str, Any]) -> dict[str, Any]:
    """The budget and its early looks; a fixed number of prompts has one look.

    Raises:
        SettingsError: Both a budget and a fixed number are typed, or both stand in the ini file.
    """
    is_typed = [config.getoption(f"lengthprobe_{name}") is not None for name in ("budget", "fixed")]
    if "fixed" in values and "budget" in values and is_typed[0] == is_typed[1]:
        raise SettingsError(
            f"budget {values['budget']} is the most prompts of several looks, and fixed {values['fixed']} "
            "the prompts of one look",
            "--lengthprobe-budget=N or --lengthprobe-fixed=N, not both",
        )
    if "fixed" in values and not is_typed[0]:
        return {"budget": values["fixed"], "early_looks": ()}
    budget = values.get("budget", DEFAULT_BUDGET)
    return {"budget": budget, "early_looks": early_looks(budget)}


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


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
    parts = [look.part for look in planned_looks(settings)]
    # The last look has the largest part of alpha, or all of it.
    alpha, least = settings.alpha * parts[-1], min(parts)
    if settings.alpha * least < LEAST_ALPHA:
        raise SettingsError(
            f"alpha {settings.alpha:g}: the look with the smallest part has {settings.alpha * least:.1g}, "
            f"and {LEAST_ALPHA:f} is the least",
            f"--lengthprobe-alpha={LEAST_ALPHA / least:.1g}, or one look: --lengthprobe-fixed=N",
        )
    needed = _fewest_topics(margins, alpha)
    if min(settings.budget, *topics) < needed:
        raise SettingsError(
            f"budget {settings.budget}: at alpha {alpha:g} even a perfect model needs prompts about "
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
