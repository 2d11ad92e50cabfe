"""Folders with two meanings: an adapter's files beside whole weights, and checkpoints in a subfolder."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.checkpoints.adapters.config import CONFIG
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

# So many subfolders are named, the last ones.
_NAMED = 3


def refuse_adapter_beside(directory: Path, weights: str) -> None:
    """Check that a folder with whole weights holds no adapter's weights too.

    Two folders look so: a merged model in the former folder of an adapter (peft #1381), and an adapter saved
    with its base. The config of an adapter without weights has no second meaning: there is nothing to apply.

    Args:
        directory: The checkpoint.
        weights: The name of the whole model's weight file.

    Raises:
        ModelError: The folder holds both.
    """
    adapters = sorted(path.name for path in directory.glob("adapter_model*") if path.is_file())
    if not adapters or not (directory / CONFIG).is_file():
        return
    raise ModelError(
        f"{directory} holds a whole model ({weights}) and an adapter ({CONFIG}, {adapters[0]})",
        f"if the adapter is merged into {weights} already, remove {CONFIG} and {', '.join(adapters)}; "
        f"if it is not, move {CONFIG} and {', '.join(adapters)} into a folder of their own, "
        "and name that folder",
    )


@contextmanager
def without_adapter_config(directory: Path) -> Iterator[Path]:
    """A folder with the same files, but for the config of an adapter.

    transformers reads such a config beside whole weights, and then looks for the adapter's weights.

    Args:
        directory: The checkpoint; given back unchanged where there is no config of an adapter.
    """
    if not (directory / CONFIG).is_file():
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="lengthprobe-") as folder:
        for path in directory.iterdir():
            if path.name != CONFIG:
                (Path(folder) / path.name).symlink_to(path.resolve())
        yield Path(folder)


def refuse_parent(directory: Path) -> None:
    """Check that a folder without a config is not the parent of a checkpoint.

    peft saves a named adapter into a subfolder, and a trainer saves each step into a subfolder.

    Raises:
        ModelError: Subfolders hold checkpoints; the message names the subfolders.
    """
    if (directory / "config.json").is_file() or (directory / CONFIG).is_file():
        return
    checkpoints = [
        (path, "an adapter" if (path / CONFIG).is_file() else "a checkpoint")
        for path in sorted(directory.iterdir(), key=_by_number)
        if (path / CONFIG).is_file() or (path / "config.json").is_file()
    ]
    if checkpoints:
        last, kind = checkpoints[-1]
        names = ", ".join(path.name for path, _ in checkpoints[-_NAMED:])
        others = "…, " if len(checkpoints) > _NAMED else ""
        what = f"are {len(checkpoints)} checkpoints" if len(checkpoints) > 1 else f"is {kind}"
        raise ModelError(
            f"{directory} holds no config.json; in its subfolders there {what}: {others}{names}",
            f"name the subfolder: setting:model={last}",
        )


def _by_number(path: Path) -> list[str | int]:
    """A folder's place among others: step 500 comes before step 1000."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.name)]
