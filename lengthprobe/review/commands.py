"""The subcommands on saved runs: `runs`, `show`, `compare`, `rm`. Their help imports nothing more."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lengthprobe.settings import COUNTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lengthprobe.margins import Margins
    from lengthprobe.runs.saved import SavedRun

# Changed answers shown in each language.
_SHOWN = 10


def add_run_commands(commands: Any) -> None:
    """Add the subcommands to the parser of `lengthprobe`."""
    runs = _command(commands, "runs", "list the saved runs", _runs)
    show = _command(commands, "show", "show the table of a saved run", _show)
    show.add_argument("saved", metavar="RUN", help="the name of a saved run, or its folder")
    about = "compare a saved run with another, the reference: verdicts, and the answers that changed"
    compare = _command(commands, "compare", about, _compare)
    compare.add_argument("saved", metavar="RUN", help="the run that is judged")
    compare.add_argument("reference", metavar="REFERENCE", help="the approved run")
    compare.add_argument("--answers", type=_count, default=_SHOWN, metavar="N", help="changed answers (10)")
    compare.add_argument("--budget", type=_count, metavar="N", help="prompts a language (all of both)")
    compare.add_argument("--counter", metavar="NAME", choices=COUNTERS, help=", ".join(COUNTERS))
    compare.add_argument("--languages", metavar="CODES", help="languages (those of both)")
    compare.add_argument(
        "--margin", action="append", default=[], metavar="NAME=NUMBER", help="another margin of a claim"
    )
    compare.add_argument("--across-forms", action="store_true", help="compare unlike forms all the same")
    remove = _command(commands, "rm", "remove saved runs", _rm)
    remove.add_argument("runs_to_remove", nargs="+", metavar="RUN", help="names, or folders")
    for command in (runs, show, compare, remove):
        command.add_argument("--runs", type=Path, metavar="DIR", help="where runs lie (the user's data)")


def _command(commands: Any, name: str, about: str, run: Any) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=f"{about[0].upper()}{about[1:]}."
    )
    command.set_defaults(run_command=run)
    command.set_defaults(run=_spelled)
    return command


def _spelled(options: argparse.Namespace) -> int:
    """Run a subcommand; a message names the options with which a run is saved again."""
    from lengthprobe.spelling import for_pytest, settings_spelled

    with settings_spelled(for_pytest):
        status: int = options.run_command(options)
    return status


def _runs(options: argparse.Namespace) -> int:
    from lengthprobe.review.pages import list_lines

    print_lines(list_lines(_folder(options)))
    return 0


def _show(options: argparse.Namespace) -> int:
    from lengthprobe.review.pages import show_lines

    print_lines(show_lines(_read(options.saved, options)))
    return 0


def _compare(options: argparse.Namespace) -> int:
    from lengthprobe.review.comparing import compare_runs
    from lengthprobe.review.pages import comparison_lines

    run, reference = _read(options.saved, options), _read(options.reference, options)
    margins = _margins(run, options.margin)
    comparison = compare_runs(
        run,
        reference,
        margins,
        budget=options.budget,
        counter=options.counter,
        languages=(options.languages or "").replace(",", " ").split(),
        across_forms=options.across_forms,
    )
    print_lines(comparison_lines(comparison, margins, options.answers))
    return 0 if comparison.all_hold else 1


def _rm(options: argparse.Namespace) -> int:
    from lengthprobe.runs.places import find_run
    from lengthprobe.runs.writing import remove_run

    # Every name is looked up before anything is removed.
    for path in [find_run(name, _folder(options)) for name in dict.fromkeys(options.runs_to_remove)]:
        remove_run(path)
        print(f"removed: {path}")
    return 0


def print_lines(lines: Iterable[str]) -> None:
    """Print lines without characters that steer a terminal: a run may be anybody's."""
    from lengthprobe.untrusted_text import escaped_text

    try:
        print("\n".join(map(escaped_text, lines)), flush=True)
    except BrokenPipeError:
        # The reader has seen enough, as in `lengthprobe show approved | head`; Python flushes once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _read(name: str, options: argparse.Namespace) -> SavedRun:
    from lengthprobe.runs.places import find_run
    from lengthprobe.runs.saved import read_run

    run = read_run(find_run(name, _folder(options)), name)
    run.check_whole()
    return run


def _folder(options: argparse.Namespace) -> Path:
    from lengthprobe.runs.places import default_runs_folder

    folder: Path = options.runs or default_runs_folder()
    return folder


def _margins(run: SavedRun, lines: list[str]) -> Margins:
    """The margins of a run, with those of the command line."""
    from dataclasses import fields, replace

    from lengthprobe.margins import Margins

    known = {field.name for field in fields(Margins)}
    kept = {name: margin for name, margin in run.margins.items() if name in known}
    return replace(Margins(), **kept).overridden(lines)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is no whole number")
    return int(text)
