"""Probes of saved runs, which answer without a checkpoint."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.display_names import display_name as name_alone
from lengthprobe.probe import Probe

if TYPE_CHECKING:
    from pathlib import Path

    from lengthprobe.margins import AlphaShares
    from lengthprobe.runs.saved import SavedRun
    from lengthprobe.settings import Settings


def load_run(name_or_path: str, *, runs: Path | None = None, **settings: Any) -> Probe:
    """A probe of a saved run, which answers without a checkpoint.

    Args:
        name_or_path: The name of a saved run, or its folder as a path with a slash.
        runs: The folder of saved runs, by default in the user's data.
        settings: Fields of `lengthprobe.settings.Settings` in which the probe is to differ from the run, for
            example `budget` or `counter`.

    Raises:
        SettingsError: There is no such run, or the run lacks answers for these settings.
    """
    from lengthprobe.runs.places import default_runs_folder, find_run
    from lengthprobe.runs.saved import read_run

    run = read_run(find_run(name_or_path, runs or default_runs_folder()), name_or_path)
    return run_probe(run, replace(run.settings, **settings))


def run_probe(
    run: SavedRun,
    settings: Settings,
    *,
    alpha_shares: AlphaShares | None = None,
    display_name: str | None = None,
) -> Probe:
    """A probe of a saved run under some settings; arguments as in `Probe`.

    Raises:
        SettingsError: The run was asked otherwise, lacks answers for these settings, or is damaged.
    """
    from lengthprobe.runs.comparability import check_settings, drawn_as_saved
    from lengthprobe.runs.saved_engine import SavedEngine

    check_settings(run, settings)
    settings = drawn_as_saved(run, settings)
    shown = display_name or name_alone(run.name)
    kept = SavedEngine(run, settings, display_name=shown)
    return Probe(run.name, settings, alpha_shares=alpha_shares, display_name=shown, kept=kept)
