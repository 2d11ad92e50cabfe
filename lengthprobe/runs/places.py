"""Places of saved runs: a name in the user's folder of runs, or a path with a slash."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lengthprobe.errors import SettingsError
from lengthprobe.nearest import nearest

RUN_FILE = "run.json"
_NAME = re.compile(r"[\w+@=][\w.+@=-]*")
_SLASHES = tuple(filter(None, (os.sep, os.altsep)))


def default_runs_folder() -> Path:
    """The folder of saved runs where nobody names another: in the user's data."""
    from platformdirs import user_data_path

    return user_data_path("lengthprobe") / "runs"


def is_path(name: str) -> bool:
    """Whether a name has a slash, so that the name is the path of a folder."""
    return any(slash in name for slash in _SLASHES)


def place_of_run(name: str, folder: Path, start: Path = Path()) -> Path:
    """The folder of the run with a name, saved or not.

    Args:
        name: A name without a slash, for a run in `folder`; or a path with a slash.
        folder: The folder of saved runs.
        start: The folder from which a relative path starts.

    Raises:
        SettingsError: A name without a slash is no name of a folder.
    """
    if is_path(name):
        return start / Path(name).expanduser()
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"{name!r} is no name of a run: a name has letters, digits and any of ._+@=-, and begins with a "
            "letter or digit",
            "a name such as approved, or a path with a slash: ./runs/approved",
        )
    return folder / name


def is_run(path: Path) -> bool:
    """Whether a folder is a saved run, whole or damaged."""
    return (path / RUN_FILE).is_file()


def run_names(folder: Path) -> list[str]:
    """The names of the saved runs in a folder, by the alphabet."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name) and is_run(path))


def find_run(name: str, folder: Path, start: Path = Path()) -> Path:
    """The folder of a saved run.

    Args:
        name, folder, start: As in `place_of_run`.

    Raises:
        SettingsError: There is no such run; the message has the nearest name.
    """
    place = place_of_run(name, folder, start)
    if is_run(place):
        return place
    if place.exists():
        what = "a file" if place.is_file() else f"a folder without {RUN_FILE}"
        raise SettingsError(f"{name} is no saved run: {place} is {what}", _known(name, folder))
    raise SettingsError(f"no run is saved as {name}: {place} does not exist", _known(name, folder))


def _known(name: str, folder: Path) -> str:
    """The nearest name of a saved run, or all names, or how to save a run."""
    names = run_names(folder)
    if near := nearest(name, names):
        return f"did you mean {near}?"
    if names:
        return f"saved in {folder}: {', '.join(names)}"
    return f"save a run: pytest --lengthprobe-model=NAME --lengthprobe-save=approved (in {folder} is none)"
