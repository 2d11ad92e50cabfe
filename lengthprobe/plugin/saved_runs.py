"""Saved runs in a session: where they lie, and which of them the reference is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lengthprobe.errors import LengthprobeError, SettingsError
from lengthprobe.nearest import nearest
from lengthprobe.plugin.options import name_in_role, option_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.runs.saved import SavedRun
    from lengthprobe.settings import Settings

_REFERENCE = pytest.StashKey["SavedRun | None"]()
_CONFIGS = ("config.json", "adapter_config.json")


def runs_folder(config: pytest.Config) -> Path:
    """The folder of saved runs: of the option, or else in the user's data."""
    from lengthprobe.runs.places import default_runs_folder

    named = option_value(config, "runs")
    return (
        default_runs_folder() if named is None else start_of_path(config, "runs") / Path(named).expanduser()
    )


def start_of_path(config: pytest.Config, option: str) -> Path:
    """The folder from which the path of an option starts: the working directory, or the ini file's folder."""
    typed = config.getoption(f"lengthprobe_{option.replace('-', '_')}") is not None
    return config.invocation_params.dir if typed or config.inipath is None else config.inipath.parent


def reference_run(config: pytest.Config, name: str) -> SavedRun | None:
    """The saved run of the reference, None where a name is no reference's or means a checkpoint.

    Raises:
        SettingsError: The name means both a run and a checkpoint; or the run is damaged.
    """
    if name != name_in_role(config, "reference"):
        return None
    if _REFERENCE not in config.stash:
        config.stash[_REFERENCE] = _run(name, runs_folder(config))
    return config.stash[_REFERENCE]


def check_names(config: pytest.Config, settings: Settings, names: Mapping[str, str]) -> None:
    """Refuse an unknown name of a checkpoint, and a saved run that cannot be the reference.

    Args:
        config: The config of the session.
        settings: The settings of the session.
        names: The names of the checkpoints, by role.

    Raises:
        pytest.UsageError: A name means nothing, or not what its role needs.
    """
    from lengthprobe.checkpoints.catalog import resolve
    from lengthprobe.runs.comparability import check_settings

    for role, name in names.items():
        try:
            run = reference_run(config, name) if role == "reference" else None
            if run is None:
                _refuse_run(config, role, name)
                resolve(name)
            else:
                check_settings(run, settings)
                run.check_whole()
        except LengthprobeError as error:
            raise pytest.UsageError(f"{error}{_run_meant(config, role, name)}") from error


def _run(name: str, folder: Path) -> SavedRun | None:
    from lengthprobe.runs.places import is_path, is_run, place_of_run
    from lengthprobe.runs.saved import read_run

    try:
        place = place_of_run(name, folder)
    except SettingsError:
        # No run can have this name, but a checkpoint may.
        return None
    if is_run(place):
        if not is_path(name) and is_checkpoint_name(name):
            raise SettingsError(
                f"{name} is the name of a checkpoint, and a run is saved under this name too",
                f"for the run: --lengthprobe-reference={place}",
            )
        return read_run(place, name)
    if is_run(Path(name)):
        raise SettingsError(
            f"no run is saved as {name} in {folder}; a run in another folder is named with a slash",
            f"--lengthprobe-reference=./{name}",
        )
    return None


def is_checkpoint_name(name: str) -> bool:
    """Whether a name means a checkpoint."""
    from lengthprobe.checkpoints.catalog import resolve

    try:
        source = resolve(name)
    except LengthprobeError:
        return False
    return source.kind != "directory" or any((Path(name) / config).is_file() for config in _CONFIGS)


def _refuse_run(config: pytest.Config, role: str, name: str) -> None:
    """Refuse a saved run in a role that needs a checkpoint."""
    from lengthprobe.runs.places import is_path, is_run

    place = Path(name).expanduser() if is_path(name) else runs_folder(config) / name
    if role != "reference" and is_run(place) and not is_checkpoint_name(name):
        raise SettingsError(
            f"--lengthprobe-{role}={name} is a saved run, which has answers and no weights",
            f"--lengthprobe-reference={name}, and a checkpoint for --lengthprobe-{role}; two saved runs are "
            f"compared by: lengthprobe compare RUN {name}",
        )


def _run_meant(config: pytest.Config, role: str, name: str) -> str:
    """A hint on the saved run with the nearest name; empty for another role, and without such a run."""
    from lengthprobe.runs.places import run_names

    near = nearest(name, run_names(runs_folder(config))) if role == "reference" else None
    return f"\n  or the saved run: --lengthprobe-reference={near}" if near and near != name else ""
