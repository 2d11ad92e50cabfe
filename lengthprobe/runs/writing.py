"""Writing: a run is saved whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ReportError
from lengthprobe.runs.packing import pack_attributions, pack_responses
from lengthprobe.runs.places import RUN_FILE, is_run
from lengthprobe.runs.saved import FORMAT, attribution_files, read_run, responses_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lengthprobe.asking.answers import Proof
    from lengthprobe.runs.identity import Identity
    from lengthprobe.runs.packing import Attributions
    from lengthprobe.statistics.forms import Form
    from lengthprobe.task.prompts import Response

# Git on Windows would give each line another end, and the digests would be of other files.
_GIT = ".gitattributes", "* -text\n"


@dataclass(frozen=True, slots=True)
class CheckpointAnswers:
    """The answers of one checkpoint, to be saved.

    Args:
        identity: The identity.
        form: The form in which the checkpoint was asked.
        proof: The components, None where no attribution was asked for.
        responses: The responses in each language, in the order of the prompt stream; where responses are
            drawn, the greedy responses with attributions too.
        attributions: The attributions in some of the languages.
    """

    identity: Identity
    form: Form
    proof: Proof | None
    responses: Mapping[str, tuple[Response, ...]]
    attributions: Mapping[str, Attributions] = field(default_factory=dict)


def check_place(place: Path, name: str, *, replace: bool) -> None:
    """Refuse a place where a run cannot be saved.

    Args:
        place: The folder of the run.
        name: The name as typed.
        replace: Whether a saved run there may be replaced.

    Raises:
        ReportError: Something else is there; or a run, which must not be replaced; or nothing can be written.
    """
    if is_run(place):
        if replace:
            return
        raise ReportError(
            f"a run is saved as {name} already: {_summary(place)}",
            "another name; or, to replace the run, add --lengthprobe-replace",
        )
    if place.exists() or place.is_symlink():
        raise ReportError(
            f"{place} is there, and is no saved run",
            f"another name: --lengthprobe-save={name.rstrip('/')}-2",
        )
    there = next(folder for folder in place.absolute().parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise ReportError(
            f"the run cannot be saved as {name}: nothing can be written in {there}",
            "another folder of runs: --lengthprobe-runs=DIR",
        )


def write_run(
    place: Path,
    report: Mapping[str, Any],
    answered: Mapping[str, CheckpointAnswers],
    *,
    replace: bool = False,
    made_by: str = "lengthprobe",
) -> Path:
    """Save a run: a reader finds the whole run, or the run that was there before, or none.

    Args:
        place: The folder of the run.
        report: The verdicts, as `Ledger.as_dict` gives them.
        answered: The answers of each checkpoint, by role.
        replace: Whether a saved run there is replaced.
        made_by: The name and the version of this program.

    Returns:
        The folder.

    Raises:
        ReportError: The errors of `check_place`; or the disk refuses. Nothing is left behind.
    """
    check_place(place, place.name, replace=replace)
    unfinished = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _write_files(unfinished, report, answered, made_by)
        _put_in_place(unfinished, place)
    except OSError as error:
        raise ReportError(
            f"the run could not be saved as {place}: {error.strerror or error}",
            "free some room there, or take another place: --lengthprobe-save=DIR/NAME",
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return place


def remove_run(path: Path) -> None:
    """Remove a saved run; the folder loses its name first, so that no reader finds half of a run.

    Raises:
        ReportError: The system refuses.
    """
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.rename(aside)
        shutil.rmtree(aside)
    except OSError as error:
        raise ReportError(f"{path} cannot be removed: {error.strerror or error}") from error


def _write_files(
    folder: Path, report: Mapping[str, Any], answered: Mapping[str, CheckpointAnswers], made_by: str
) -> None:
    folder.mkdir()
    digests: dict[str, str] = {}
    for role, checkpoint in answered.items():
        for file, made in _files(role, checkpoint).items():
            digests[file] = sha256(made).hexdigest()
            _write(folder / file, made)
    content = {
        "format": FORMAT,
        "made_by": made_by,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "models": {role: _described(checkpoint) for role, checkpoint in answered.items()},
        "files": digests,
        "report": report,
    }
    _write(folder / _GIT[0], _GIT[1].encode())
    _write(folder / RUN_FILE, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def _files(role: str, checkpoint: CheckpointAnswers) -> dict[str, bytes]:
    files = {
        responses_file(role, language): pack_responses(responses).encode()
        for language, responses in checkpoint.responses.items()
    }
    for language, attributions in checkpoint.attributions.items():
        text, arrays = pack_attributions(attributions)
        files |= zip(attribution_files(role, language), (text.encode(), arrays), strict=True)
    return files


def _described(checkpoint: CheckpointAnswers) -> dict[str, Any]:
    """The facts on a checkpoint in `run.json`."""
    return {
        "identity": checkpoint.identity.as_dict(),
        "form": asdict(checkpoint.form),
        "proof": checkpoint.proof and json.loads(checkpoint.proof.to_bytes()),
        "languages": {
            language: {
                "prompts": len({response.prompt.id for response in responses}),
                "attributions": language in checkpoint.attributions,
            }
            for language, responses in checkpoint.responses.items()
        },
    }


def _write(path: Path, made: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("xb") as file:
        file.write(made)
        file.flush()
        # Some file systems say only now that the disk is full.
        os.fsync(file.fileno())


def _put_in_place(unfinished: Path, place: Path) -> None:
    """Give the finished folder its name; a run that was there is removed after that."""
    if not place.exists():
        unfinished.rename(place)
        return
    before = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
    place.rename(before)
    try:
        unfinished.rename(place)
    except OSError:
        with suppress(OSError):
            before.rename(place)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _summary(place: Path) -> str:
    """The checkpoint and the date of a run, as far as they can be read."""
    try:
        run = read_run(place)
        return f"{run.identity().display_name}, {run.date}, in {place}"
    except Exception:
        return f"a damaged run in {place}"
