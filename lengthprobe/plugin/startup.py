"""Keep the folder of a checkpoint from being a source of code: neither its conftest nor its tests are run.

Until a project's conftest adds `--model`, pytest takes the path in `--model /data/ckpt` for a test path, and
would run the conftest of that folder. So would a pytest that is started within the folder.
"""

from __future__ import annotations

import glob
import os
from contextlib import contextmanager
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lengthprobe.plugin.option_clash import telling_clashes
from lengthprobe.plugin.options import OPTIONS, PREFIX, name_in_role
from lengthprobe.plugin.refusal import refusal
from lengthprobe.plugin.rootdir import refuse_misread_paths
from lengthprobe.plugin.typed import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_ROLES = ("model", "base", "reference")
_SHORT = {option.short for option in OPTIONS if option.short}
_FOLDERS = pytest.StashKey[frozenset[Path]]()


@contextmanager
def conftests_of_the_project(
    config: pytest.Config, args: Sequence[str | os.PathLike[str]], parser: pytest.Parser
) -> Iterator[None]:
    """Within, pytest loads its first conftests, and none of them is a checkpoint's.

    Args:
        config: The config, whose root directory has been found.
        args: The command line.
        parser: Knows the options of every plugin, and at the end those of the conftests too.

    Raises:
        pytest.UsageError: A value after a space led to another project, or pytest would run what lies in a
            checkpoint's folder; the message has the line to type.
    """
    typed = words(args)
    refuse_misread_paths(config, typed, parser, short=False)
    namespace: Any = config.known_args_namespace
    paths = namespace.file_or_dir = list(namespace.file_or_dir)
    values = [(option, value) for option, value in _unknown_yet(typed) if value in paths]
    for _, value in values:
        paths.remove(value)
    _refuse_code_of_checkpoint(config, typed)
    with telling_clashes(config):
        yield
    meant = [value for option, value in values if _is_test_path(config, parser, option, value)]
    paths += meant
    # There is no public way to load them; where pytest moves it, they load with the tests beside them.
    load = getattr(config, "pytest_load_initial_conftests", None)
    if meant and load is not None:
        load(config)
    refuse_misread_paths(config, typed, parser)


def is_checkpoint(path: Path, config: pytest.Config) -> bool:
    """Whether a folder that pytest comes upon is that of a checkpoint which was named, and no project."""
    if _FOLDERS not in config.stash:
        names = filter(None, (name_in_role(config, role) for role in _ROLES))
        folders = {folder for folder in map(_folder, names) if folder is not None}
        places = (config.rootpath, config.invocation_params.dir)
        config.stash[_FOLDERS] = frozenset(
            folder for folder in folders if not any(_within(place, folder) for place in places)
        )
    folders_named = config.stash[_FOLDERS]
    return bool(folders_named) and Path(os.path.realpath(path)) in folders_named


def _unknown_yet(typed: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Values after a space, each with its option, that pytest takes for test paths for now."""
    known = {option.flag for option in OPTIONS}
    for option, value in pairwise(typed[: typed.index("--")] if "--" in typed else typed):
        ours = option in _SHORT or (option.startswith(PREFIX) and option not in known)
        if ours and not value.startswith("-"):
            yield option, value


def _is_test_path(config: pytest.Config, parser: pytest.Parser, option: str, path: str) -> bool:
    """Whether the path after an option turned out to be no value of it."""
    if option.startswith(PREFIX):
        return False
    try:
        read, unknown = parser.parse_known_and_unknown_args([option, path])
    except (pytest.UsageError, SystemExit):
        return False
    if path not in read.file_or_dir:
        return False
    if option not in unknown:
        return True
    # A flag of somebody else's, then, which the conftest there may be the one to add.
    start = config.invocation_params.dir
    return _within(start / path, start) and not _looks_like_checkpoint(start / path)


def _refuse_code_of_checkpoint(config: pytest.Config, typed: Sequence[str]) -> None:
    """Refuse to start where pytest would run a conftest or tests that lie in a checkpoint's folder.

    Raises:
        pytest.UsageError: It would.
    """
    for name, folder in _named_folders(config, typed):
        found = next((each for each in _first_conftests(config) if _within(each, folder)), None)
        if found is None and any(_within(place, folder) for place in _starts(config)):
            found = next(
                (each for pattern in config.getini("python_files") for each in folder.rglob(pattern)), None
            )
        if found is not None:
            raise refusal(
                f"pytest would run {found}, which lies in the folder of the checkpoint {name}",
                f"start pytest from the folder of your tests, with --lengthprobe-model={folder}; where the "
                "file is your own, move it out of the checkpoint's folder",
            )


def _named_folders(config: pytest.Config, typed: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The checkpoints' names and folders, as far as they are known before conftests add the short options."""
    project = None if config.inipath is None else config.inipath.parent
    for role in _ROLES:
        name = vars(config.known_args_namespace).get(f"lengthprobe_{role}")
        folder = _folder(str(name)) if name else None
        if folder is not None:
            yield str(name), folder
        name = str(config.getini(f"lengthprobe_{role}"))
        folder = _folder(name) if name else None
        # Who wrote the ini file may call the project's own folder a checkpoint.
        if folder is not None and (project is None or not _within(project, folder)):
            yield name, folder
    for word, after in zip_longest(typed, typed[1:], fillvalue=""):
        option, equals, value = word.partition("=")
        folder = _folder(value if equals else after) if option in _SHORT else None
        # The option may be another project's, and mean something else.
        if folder is not None and _looks_like_checkpoint(folder):
            yield value if equals else after, folder


def _first_conftests(config: pytest.Config) -> Iterator[Path]:
    """The conftests that pytest loads before it knows all options."""
    namespace: Any = config.known_args_namespace
    if namespace.noconftest:
        return
    cut = config.invocation_params.dir / namespace.confcutdir
    for start in _starts(config, whatever_is_typed=False):
        folder = start if os.path.isdir(start) else start.parent
        tests = (path for path in start.glob("test*") if os.path.isdir(path))
        for each in (folder, *folder.parents, *tests):
            if each not in cut.parents and os.path.isfile(each / "conftest.py"):
                yield each / "conftest.py"


def _starts(config: pytest.Config, *, whatever_is_typed: bool = True) -> Iterable[Path]:
    """Where pytest starts to collect.

    Args:
        config: The config.
        whatever_is_typed: Whether a name that is no path, of a package for one, starts from nowhere; for
            conftests it starts from the working directory.
    """
    namespace: Any = config.known_args_namespace
    start = config.invocation_params.dir
    typed = list(namespace.file_or_dir)
    if not typed and start == config.rootpath and not namespace.pyargs:
        typed = [
            path for pattern in config.getini("testpaths") for path in glob.iglob(pattern, recursive=True)
        ]
    there = [start / path.partition("::")[0] for path in typed]
    there = [path for path in there if os.path.exists(path)]
    return there if there or (typed and whatever_is_typed) else [start]


def _folder(name: str) -> Path | None:
    path = os.path.expanduser(name)
    return Path(os.path.realpath(path)) if os.path.isdir(path) else None


def _within(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _looks_like_checkpoint(folder: Path) -> bool:
    configs = any(os.path.isfile(folder / name) for name in ("config.json", "adapter_config.json"))
    return configs and any(
        glob.glob(f"{glob.escape(str(folder))}/*{end}") for end in (".safetensors", ".bin")
    )
