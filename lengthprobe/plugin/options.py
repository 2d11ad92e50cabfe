"""The plugin's options: each on the command line, and in the ini file where that is safe."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lengthprobe.sampling import DEFAULT_SAMPLES, USUAL
from lengthprobe.settings import COUNTERS, DTYPES, PROMPT_FORMS, THINKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest


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
        return f"{PREFIX}{self.name}"

    @property
    def dest(self) -> str:
        """Its name in the config, and in the ini file."""
        return f"lengthprobe_{self.name.replace('-', '_')}"


OPTIONS = (
    Option("model", "NAME", "the checkpoint: an alias, a hub id (@revision), a directory", "--model"),
    Option("base", "NAME", "its base model, where neither alias nor model card tells", "--base"),
    Option("reference", "NAME", "the approved checkpoint to compare with, or a saved run", "--reference"),
    Option(
        "lineage", "NAME", "what it comes from, where name and card do not tell: llama-3.1, fixture, other"
    ),
    Option("languages", "CODES", "languages to ask in (en,it)"),
    Option("lengths", "N-M", "numbers of words to ask for, as in 3-9 or 3,5,7 (3-9)"),
    Option("budget", "N", "most prompts a language, asked while a claim is undecided (450)"),
    Option("fixed", "N", "prompts a language, all asked before any claim is judged, in place of a budget"),
    Option("alpha", "A", "one-sided error rate of a verdict (0.05)"),
    Option("seed", "N", "seed of the prompt stream, and of samples (0)"),
    Option("counter", "NAME", f"word counter: {', '.join(COUNTERS)}"),
    Option("cap", "N", "most tokens in a response (100)"),
    Option("prompt-form", "FORM", f"{', '.join(PROMPT_FORMS)}: the chat template, plain text"),
    Option("system-prompt", "TEXT", "system message before every prompt"),
    Option("thinking", "HOW", f"{', '.join(THINKING)}: whether the model may think before it answers (off)"),
    Option("sampling", "HOW", f"draw responses, as in {USUAL}; or top-k=50 (greedy)"),
    Option("samples", "K", f"responses to each prompt, where these are drawn ({DEFAULT_SAMPLES})"),
    Option("device-map", "MAP", "as in transformers (auto)"),
    Option("dtype", "NAME", f"number format of the weights: {', '.join(DTYPES)}"),
    Option("batch-size", "N", "prompts at once (auto: chosen once)"),
    Option("store", "DIR", "where answers are kept for later runs (the user's cache), or none"),
    Option("report", "DIR", "write a page with figures, report.json and summary.md to a folder"),
    Option("json", "FILE", "write all verdicts to a file"),
    Option("save", "NAME", "save the run for later comparisons: a name, or a folder with a slash"),
    Option("runs", "DIR", "where saved runs lie (the user's data)"),
)
# No ini file can set these: a checked-out project must not make anybody run code that it brings along.
FLAGS = (
    Option("allow-pickle", "", "load pickled weights, which can run any code"),
    Option("allow-remote-code", "", "run the checkpoint's own Python code"),
)
# Each is on or off, on the command line and in the ini file.
SWITCHES = (Option("across-forms", "", "compare checkpoints that were asked in unlike forms all the same"),)
# Each speaks of one command, and has no ini twin: no project replaces a saved run by itself.
OF_A_COMMAND = (Option("replace", "", "let --lengthprobe-save replace the saved run of this name"),)
MARGINS = "lengthprobe_margins"
WAIVERS = "lengthprobe_waivers"
PREFIX = "--lengthprobe-"
# Who misspells the prefix has mostly typed so much of it right.
_BEGINNING = "--len"
_SHORT = {option.short for option in OPTIONS if option.short}


def add_options(parser: pytest.Parser) -> None:
    """Add every option and its ini twin."""
    group = parser.getgroup("lengthprobe", "length control of language models")
    for option in OPTIONS:
        group.addoption(option.flag, dest=option.dest, metavar=option.metavar, help=option.help)
        parser.addini(option.dest, f"as {option.flag}", default="")
    for flag in (*FLAGS, *SWITCHES, *OF_A_COMMAND):
        group.addoption(flag.flag, dest=flag.dest, action="store_true", help=flag.help)
    for switch in SWITCHES:
        parser.addini(switch.dest, f"as {switch.flag}", type="bool", default=False)
    parser.addini(MARGINS, "margins of claims, each `name = number`", type="linelist")
    parser.addini(
        WAIVERS, "claims that may fail, each `claim [language] until YYYY-MM-DD: reason`", type="linelist"
    )


def may_be_ours(args: Sequence[str | os.PathLike[str]]) -> bool:
    """Whether any option on a command line begins as one of these, or stands in a file of arguments."""
    typed = [os.fspath(arg) for arg in args]
    return any(word.startswith((_BEGINNING, "@")) or word.partition("=")[0] in _SHORT for word in typed)


def option_value(config: pytest.Config, name: str) -> str | None:
    """What the command line, or else the ini file, says for an option; None where neither does."""
    dest = f"lengthprobe_{name.replace('-', '_')}"
    value = config.getoption(dest)
    if value is None:
        value = config.getini(dest) or None
    return None if value is None else str(value)


def is_switched_on(config: pytest.Config, name: str) -> bool:
    """Whether a switch is on, on the command line or in the ini file."""
    dest = f"lengthprobe_{name.replace('-', '_')}"
    return bool(config.getoption(dest) or config.getini(dest))


def name_in_role(config: pytest.Config, role: str) -> str | None:
    """What the checkpoint in a role was named, or the lineage; None where it was not.

    A base or lineage that the ini file names is that of the model it names: another on the command line has
    another.
    """
    typed_model, typed = (config.getoption(f"lengthprobe_{each}") for each in ("model", role))
    ini_model = config.getini("lengthprobe_model")
    if role in ("base", "lineage") and typed is None and ini_model and typed_model not in (None, ini_model):
        return None
    return option_value(config, role)


def is_on_command_line(config: pytest.Config) -> bool:
    """Whether any of the options stands on the command line."""
    every = (*OPTIONS, *FLAGS, *SWITCHES, *OF_A_COMMAND)
    return any(config.getoption(option.dest) not in (None, False) for option in every)


def is_in_use(config: pytest.Config) -> bool:
    """Whether command line or ini file ask for anything of lengthprobe."""
    return (
        is_on_command_line(config)
        or any(config.getini(one.dest) for one in (*OPTIONS, *SWITCHES))
        or any(config.getini(name) for name in (MARGINS, WAIVERS))
    )
