"""The command `lengthprobe`, with a subcommand for each task. Its help imports no torch or transformers."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import LengthprobeError, ReportError
from lengthprobe.review.commands import add_run_commands
from lengthprobe.settings import COUNTERS, DTYPES, PROMPT_FORMS, THINKING, read_lengths
from lengthprobe.spelling import for_shell, settings_spelled
from lengthprobe.termination import Terminated, end_orderly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.asking.store import Shelf

# An answer ten words too long counts the same as an answer twenty words too long: more tokens teach nothing.
CAP = 50
# The number of prompts, about half of them on discovery topics, over which mean outputs are taken.
_BUDGET = 100
_DAY, _MEGABYTE = 24 * 3600, 10**6
MODES = ("zero", "mean", "resample")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand.

    Args:
        arguments: The words after the command's name; by default the words of the command line.

    Returns:
        The exit status: 0, 2 where the arguments or the checkpoint cannot be used, 130 after Ctrl-C, and 143
        after SIGTERM.
    """
    options = _parser().parse_args(arguments)
    give_back = end_orderly()
    try:
        with settings_spelled(for_shell):
            return int(options.run(options))
    except LengthprobeError as error:
        print(f"lengthprobe {options.command}: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        by = f" by {error}" if str(error) else ""
        goes_on = "; with --report=DIR, the same line goes on from what is kept there"
        print(f"lengthprobe {options.command}: interrupted{by}{goes_on}", file=sys.stderr)
        return 143 if isinstance(error, Terminated) else 130
    finally:
        give_back()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lengthprobe", description="Length control of language models.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_scan(commands)
    _add_cache(commands)
    _add_plan(commands)
    add_run_commands(commands)
    return parser


def _add_scan(commands: Any) -> None:
    about = "rank a model's heads and MLPs by what ablating each alone does to length control"
    scan = commands.add_parser("scan", help=about, description=f"{about[0].upper()}{about[1:]}.")
    scan.set_defaults(run=_scan)
    scan.add_argument("model", metavar="MODEL", help="an alias, a hub id (@revision), a directory")
    scan.add_argument("--language", default="en", metavar="CODE", help="language to ask in (en)")
    scan.add_argument("--top", type=int, default=10, metavar="K", help="components wanted (10)")
    scan.add_argument(
        "--prompts", type=int, default=64, metavar="N", help="prompts that the top are measured on (64)"
    )
    scan.add_argument(
        "--sample", type=int, default=10, metavar="N", help="others, drawn at random, to ablate too (10)"
    )
    scan.add_argument("--mode", default="zero", metavar="MODE", help=f"{', '.join(MODES)} (zero)")
    scan.add_argument("--seed", type=int, default=0, metavar="N", help="seed of prompts and of the draw (0)")
    scan.add_argument("--full", action="store_true", help="ablate every component on every prompt")
    scan.add_argument(
        "--report", type=Path, metavar="DIR",
        help="write scan.json, scan.md and a map to a folder; an interrupted scan goes on from there",
    )  # fmt: skip
    asking = scan.add_argument_group("asking, as of pytest's --lengthprobe- options")
    asking.add_argument(
        "--lengths", type=_lengths, default="3-9", metavar="N-M", help="numbers of words (3-9)"
    )
    asking.add_argument(
        "--cap", type=int, default=CAP, metavar="N", help=f"most tokens in a response ({CAP})"
    )
    asking.add_argument("--counter", default="uax29", metavar="NAME", help=", ".join(COUNTERS))
    asking.add_argument("--prompt-form", default="auto", metavar="FORM", help=", ".join(PROMPT_FORMS))
    asking.add_argument("--system-prompt", metavar="TEXT", help="system message before every prompt")
    asking.add_argument("--thinking", default="off", metavar="HOW", help=f"{', '.join(THINKING)} (off)")
    loading = scan.add_argument_group("loading")
    loading.add_argument("--dtype", default="auto", metavar="NAME", help=", ".join(DTYPES))
    loading.add_argument("--device-map", default="auto", metavar="MAP", help="as in transformers (auto)")
    loading.add_argument(
        "--batch-size", type=_batch_size, default=None, metavar="N", help="rows at once (auto: chosen once)"
    )
    loading.add_argument("--allow-pickle", action="store_true", help="load pickled weights")
    loading.add_argument("--allow-remote-code", action="store_true", help="run the checkpoint's own code")


def _add_cache(commands: Any) -> None:
    about = "tell which answers are kept for later runs, and remove some"
    cache = commands.add_parser("cache", help=about, description=f"{about[0].upper()}{about[1:]}.")
    cache.set_defaults(run=_cache)
    cache.add_argument("--store", type=Path, metavar="DIR", help="the folder (the user's cache)")
    cache.add_argument("--clear", action="store_true", help="remove the answers that the next options name")
    cache.add_argument("--checkpoint", metavar="NAME", help="with --clear: of this checkpoint alone")
    cache.add_argument("--days", type=float, metavar="N", help="with --clear: not used for N days")
    cache.add_argument(
        "--megabytes", type=float, metavar="N", help="with --clear: those used longest ago, down to N MB"
    )


def _cache(options: argparse.Namespace) -> int:
    from lengthprobe.asking.store import Store, default_folder

    problems: list[str] = []
    store = Store(options.store or default_folder(), problems.append)
    try:
        if options.clear:
            unused_since = None if options.days is None else time.time() - options.days * _DAY
            if options.megabytes is None:
                removed = store.remove(checkpoint=options.checkpoint, unused_since=unused_since)
            else:
                removed = store.shrink(int(options.megabytes * _MEGABYTE))
            print(f"removed: {removed} {'batch' if removed == 1 else 'batches'}")
        shelves = store.shelves()
    finally:
        store.close()
    for problem in problems:
        print(f"lengthprobe cache: {problem}", file=sys.stderr)
    print("\n".join(shelf_lines(shelves, store.path)))
    return 1 if problems else 0


def _add_plan(commands: Any) -> None:
    about = "tell how many topics, prompts and minutes each claim needs"
    plan = commands.add_parser("plan", help=about, description=f"{about[0].upper()}{about[1:]}.")
    plan.set_defaults(run=_plan)
    plan.add_argument(
        "--from", type=Path, dest="source", metavar="REPORT",
        help="a report.json or its folder, whose claims and spread are taken (assumed rates)",
    )  # fmt: skip
    plan.add_argument(
        "--change", type=float, metavar="X",
        help="the change to be seen, in each claim's unit, a share as 0.1 (to twice the margin's distance)",
    )  # fmt: skip
    plan.add_argument("--power", type=float, default=0.9, metavar="P", help="the chance wanted (0.9)")
    plan.add_argument("--seconds", type=float, metavar="S", help="seconds a prompt, for the minutes")
    rates = plan.add_argument_group("without a report")
    rates.add_argument("--exact", type=float, default=0.95, metavar="P", help="share of exact answers (0.95)")
    rates.add_argument(
        "--agreement", type=float, default=0.5, metavar="P",
        help="share of the misses that the reference has too (0.5)",
    )  # fmt: skip


def _plan(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from lengthprobe.plan.expected import assume, from_report
    from lengthprobe.plan.foretold import foretell, plan_lines
    from lengthprobe.review.commands import print_lines

    if options.source is None:
        source = assume(options.exact, options.agreement)
    else:
        source = from_report(options.source)
    if options.seconds is not None:
        source = replace(source, seconds=options.seconds)
    rows = foretell(source, change=options.change, power=options.power)
    print_lines("\n".join(plan_lines(source, rows, power=options.power)).splitlines())
    return 0


def shelf_lines(shelves: Sequence[Shelf], path: Path) -> list[str]:
    """The table of kept answers, one row a checkpoint, under the file that holds them."""
    from tabulate import tabulate

    from lengthprobe.untrusted_text import printable

    if not shelves:
        return [f"no answers are kept in {path}"]
    rows = [
        (printable(one.checkpoint), one.answers, f"{one.size / _MEGABYTE:.1f} MB", _day(one.used))
        for one in shelves
    ]
    return [str(path), "", tabulate(rows, headers=["checkpoint", "batches", "size", "last used"])]


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(seconds))


def _lengths(text: str) -> tuple[int, ...]:
    try:
        return read_lengths(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from error


def _batch_size(text: str) -> int | None:
    if text != "auto" and not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is neither auto nor a number of rows")
    return None if text == "auto" else int(text)


def _scan(options: argparse.Namespace) -> int:
    from lengthprobe.probe import Probe
    from lengthprobe.scan.plan import Plan
    from lengthprobe.settings import Settings

    if options.report is not None and options.report.exists() and not options.report.is_dir():
        raise ReportError(
            f"--report={options.report} is a file", "name a folder, which is made: --report=DIR"
        )
    plan = Plan(
        **{name: getattr(options, name) for name in ("language", "top", "prompts", "sample", "mode")},
        **{name: getattr(options, name) for name in ("seed", "full")},
    )
    settings = Settings(
        languages=(options.language,),
        budget=_BUDGET,
        **{name: getattr(options, name) for name in ("lengths", "cap", "counter")},
        **{name: getattr(options, name) for name in ("prompt_form", "system_prompt", "thinking")},
        **{name: getattr(options, name) for name in ("seed", "dtype", "device_map", "batch_size")},
        **{name: getattr(options, name) for name in ("allow_pickle", "allow_remote_code")},
    )
    plan.asked(settings)
    probe = Probe(options.model, settings)

    from lengthprobe.scan.command import scan
    from lengthprobe.scan.progress import shown_progress

    report = scan(probe, plan, options.report, shown_progress())
    from lengthprobe.scan.report import lines

    print("\n".join(lines(report)))
    if options.report is not None:
        print(f"report: {options.report}")
    return 0


def _one_line(error: LengthprobeError) -> str:
    from lengthprobe.untrusted_text import printable

    fix = f" (fix: {printable(error.fix, None)})" if error.fix else ""
    return f"{printable(error.problem, None)}{fix}"


if __name__ == "__main__":
    sys.exit(main())
