"""Command: a scan with its memory and its report in a folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import SettingsError
from lengthprobe.reporting.destination import Destination
from lengthprobe.scan.partial_scan import NAME, PartialScan, read_partial_scan, scan_key
from lengthprobe.scan.report import as_dict, scan_files, write
from lengthprobe.scan.scanning import Scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lengthprobe.probe import Probe
    from lengthprobe.scan.plan import Plan


def scan(
    probe: Probe,
    plan: Plan,
    folder: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
) -> dict[str, Any]:
    """Scan a checkpoint, and go on from the answers of an earlier scan in the folder.

    Args:
        probe: The checkpoint; its settings ask in the plan's language.
        plan: The plan of the scan.
        folder: The folder for the report, and for each answer as soon as the answer is there; None for no
            folder.
        progress: Called with the present work, how much is done, and how much there is in all.

    Returns:
        The report, as in scan.json.

    Raises:
        SettingsError: The probe asks in another language than the plan.
        LengthprobeError: The checkpoint cannot be loaded or run, or the folder holds another scan or files of
            somebody else's, or another scan writes there at this moment.
    """
    if probe.settings.languages != (plan.language,):
        raise SettingsError(
            f"the plan is for {plan.language!r}, and the probe asks in {', '.join(probe.settings.languages)}",
            f"lengthprobe.load(name, languages=({plan.language!r},))",
        )
    destination = None if folder is None else Destination(scan_files(folder), folder, "--report")
    if destination is None:
        return _scanned(probe, plan, None, progress)
    destination.take()
    try:
        report = _scanned(probe, plan, folder, progress)
        destination.ready()
        write(destination.named, report)
    finally:
        destination.release()
    return report


def _scanned(
    probe: Probe, plan: Plan, folder: Path | None, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    identity = probe.identity().as_dict()
    key = scan_key(identity, language=plan.language, mode=plan.mode)
    kept = PartialScan(key) if folder is None else read_partial_scan(folder / NAME, key)
    run = Scan(probe, replace(plan, top=min(plan.top, _n_components(probe))), kept, progress)
    ranking = run.run()
    return as_dict(
        ranking,
        run.estimated,
        probe.identity().as_dict(),
        (probe.proof.n_layers, probe.proof.n_heads),
        plan,
        kept,
        probe.settings.alpha,
    )


def _n_components(probe: Probe) -> int:
    from lengthprobe.scan.estimates import components_of

    return len(components_of(probe))
