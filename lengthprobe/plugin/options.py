"""The plugin's options: each on the command line, and in the ini file where that is safe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.errors import LengthprobeError, SettingsError
from lengthprobe.settings import COUNTERS, DTYPES, PROMPT_FORMS, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lengthprobe.margins import Margins

_LONGEST_REQUEST = 1000


@dataclass(frozen=True, slots=True)
class Option:
    """One option, `--lengthprobe-<name>`, whose ini twin is `lengthprobe_<name>`.

    Args:
        name: Its name, with dashes.
        metavar: What the help shows for the value; none for a flag.
        help: What the help says.
        short: Its short name, which a project's conftest may add.
    """

    name: str
    metavar: str
    help: str
    short: str = ""

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return f"--lengthprobe-{self.name}"

    @property
    def dest(self) -> str:
        """Its name in the config, and in the ini file."""
        return f"lengthprobe_{self.name.replace('-', '_')}"


OPTIONS = (
    Option("model", "NAME", "the checkpoint: an alias, a hub id (@revision), a directory", "--model"),
    Option("base", "NAME", "its base model, where neither alias nor model card tells", "--base"),
    Option("reference", "NAME", "the approved checkpoint that it is compared with", "--reference"),
    Option("languages", "CODES", "languages to ask in (en,it)"),
    Option("lengths", "N-M", "numbers of words to ask for, as in 3-9 or 3,5,7 (3-9)"),
    Option("budget", "N", "prompts a language (300)"),
    Option("alpha", "A", "one-sided error rate of a verdict (0.05)"),
    Option("seed", "N", "seed of the prompt stream (0)"),
    Option("counter", "NAME", f"word counter: {', '.join(COUNTERS)}"),
    Option("cap", "N", "most tokens in a response (100)"),
    Option("prompt-form", "FORM", f"{', '.join(PROMPT_FORMS)}: the chat template, plain text"),
    Option("system-prompt", "TEXT", "system message before every prompt"),
    Option("device-map", "MAP", "as in transformers (auto)"),
    Option("dtype", "NAME", f"number format of the weights: {', '.join(DTYPES)}"),
    Option("batch-size", "N", "prompts at once (auto: chosen once)"),
    Option("json", "FILE", "write all verdicts to a file"),
)
# No ini file can set these: a checked-out project must not make anybody run code that it brings along.
FLAGS = (
    Option("allow-pickle", "", "load pickled weights, which can run any code"),
    Option("allow-remote-code", "", "run the checkpoint's own Python code"),
)
MARGINS = "lengthprobe_margins"
_SHORT = {option.short for option in OPTIONS if option.short}


def add_options(parser: pytest.Parser) -> None:
    """Add every option and its ini twin."""
    group = parser.getgroup("lengthprobe", "length control of language models")
    for option in OPTIONS:
        group.addoption(option.flag, dest=option.dest, metavar=option.metavar, help=option.help)
        parser.addini(option.dest, f"as {option.flag}", default="")
    for flag in FLAGS:
        group.addoption(flag.flag, dest=flag.dest, action="store_true", help=flag.help)
    parser.addini(MARGINS, "margins of claims, each `name = number`", type="linelist")


def may_be_ours(args: Sequence[str]) -> bool:
    """Whether any option on a command line has the name of one of these."""
    return any(arg.startswith("--lengthprobe-") or arg in _SHORT for arg in args)


def stated(config: pytest.Config, name: str) -> str | None:
    """What the command line, or else the ini file, says for an option; None where neither does."""
    dest = f"lengthprobe_{name.replace('-', '_')}"
    value = config.getoption(dest)
    if value is None:
        value = config.getini(dest) or None
    return None if value is None else str(value)


def named(config: pytest.Config, role: str) -> str | None:
    """What the checkpoint in a role was named, None where it was not.

    A base that the ini file names is that of the model it names: another on the command line has another.
    """
    typed_model, typed = (config.getoption(f"lengthprobe_{each}") for each in ("model", role))
    ini_model = config.getini("lengthprobe_model")
    if role == "base" and typed is None and ini_model and typed_model not in (None, ini_model):
        return None
    return stated(config, role)


def on_command_line(config: pytest.Config) -> bool:
    """Whether any of the options stands on the command line."""
    return any(config.getoption(one.dest) not in (None, False) for one in (*OPTIONS, *FLAGS))


def in_use(config: pytest.Config) -> bool:
    """Whether command line or ini file ask for anything of lengthprobe."""
    return (
        on_command_line(config)
        or any(config.getini(one.dest) for one in OPTIONS)
        or bool(config.getini(MARGINS))
    )


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
        ("device-map", str),
        ("dtype", str),
        ("batch-size", _batch_size),
    )
    values: dict[str, Any] = {flag.name: config.getoption(flag.dest) for flag in FLAGS}
    for name, reader in read:
        text = stated(config, name)
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


def read_lengths(text: str) -> tuple[int, ...]:
    """The numbers that a list of numbers and ranges names, as in `3-9` or `3,5,7`.

    Raises:
        ValueError: It names none, or one that cannot be asked for.
    """
    lengths: list[int] = []
    for part in text.split(","):
        first, dash, last = (each.strip() for each in part.partition("-"))
        ends = (first, last) if dash else (first, first)
        if not all(end.isdecimal() for end in ends):
            raise ValueError(f"{part.strip()!r} is no number of words and no range of them")
        low, high = map(int, ends)
        if low > high:
            raise ValueError(f"the range {low}-{high} runs backwards: {high}-{low}")
        if low < 1:
            raise ValueError("a request is for at least one word")
        if high > _LONGEST_REQUEST:
            raise ValueError(f"a request is for at most {_LONGEST_REQUEST} words")
        lengths += range(low, high + 1)
    if len(set(lengths)) < len(lengths):
        raise ValueError("a number of words stands twice")
    return tuple(sorted(lengths))


def json_path(config: pytest.Config) -> Path | None:
    """Where the report is to be written, or None.

    A path on the command line starts from the working directory, one in the ini file from that file.

    Raises:
        pytest.UsageError: The path is a directory, or its folder does not exist.
    """
    text = stated(config, "json")
    if text is None:
        return None
    typed = config.getoption("lengthprobe_json") is not None
    start = config.invocation_params.dir if typed or config.inipath is None else config.inipath.parent
    path = start / Path(text).expanduser()
    if path.is_dir():
        raise pytest.UsageError(f"--lengthprobe-json={text}: that is a folder; name a file in it")
    if not path.parent.is_dir():
        raise pytest.UsageError(
            f"--lengthprobe-json={text}: its folder does not exist\n  fix: mkdir -p {path.parent}"
        )
    return path


def _value(config: pytest.Config, name: str, text: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        dest = f"lengthprobe_{name.replace('-', '_')}"
        where = "" if config.getoption(dest) is not None else f" ({dest} in {config.inipath})"
        raise pytest.UsageError(f"--lengthprobe-{name}={text}: {error}{where}") from error


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
            f"--lengthprobe-cap={8 * max(settings.lengths)}, or shorter lengths",
        )
    needed = _fewest_topics(margins, settings.alpha)
    if min(settings.budget, *topics) < needed:
        raise SettingsError(
            f"budget {settings.budget}: at alpha {settings.alpha:g} even a perfect model needs prompts about "
            f"{needed} topics before any claim can be decided",
            f"--lengthprobe-budget={needed} or more; 300 leaves room for error",
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
