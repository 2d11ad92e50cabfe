"""Missing paths: which checkpoints lie where a path leads to nothing."""

from __future__ import annotations

import os
from pathlib import Path

from lengthprobe.checkpoints.gguf.names import model_files
from lengthprobe.errors import ModelError
from lengthprobe.nearest import nearest, nearest_first

_CONFIGS = ("config.json", "adapter_config.json")
_SHOWN, _MEANT = 8, 3


def missing_path(name: str) -> ModelError:
    """The error for a path that leads to nothing: other checkpoints in its folder, or how far it leads.

    Args:
        name: The path as it was typed.
    """
    names = near_checkpoints(name)
    if not names:
        return ModelError(f"{name} does not exist", f"check the path: {_end(os.path.expanduser(name))}")
    if not name.endswith(".gguf"):
        return ModelError(f"{name} does not exist", f"did you mean {' or '.join(names[:_MEANT])}?")
    shown, more = names[:_SHOWN], len(names) - _SHOWN
    return ModelError(
        f"{name} does not exist; its folder holds {', '.join(map(os.path.basename, shown))}",
        ", or ".join(f"setting:model={other}" for other in shown) + (f", or {more} more" if more > 0 else ""),
    )


def near_checkpoints(name: str) -> list[str]:
    """Checkpoints in the folder in which a path is to lie, the nearest first, as they can be typed.

    Of a GGUF file that is missing every other one there: their names tell the formats, and the format may be
    what was meant. Of anything else, those whose names are alike.
    """
    folder, typed = os.path.split(name)
    here = Path(os.path.expanduser(folder))
    try:
        entries = os.listdir(here)
    # Nothing is there, or it may not be looked at; a name with a null byte is nobody's.
    except (OSError, ValueError):
        return []
    files = [file for file in model_files(entries) if os.path.isfile(here / file)]
    if typed.endswith(".gguf"):
        near = nearest_first(typed, files)
    else:
        folders = [
            entry for entry in entries if any(os.path.isfile(here / entry / config) for config in _CONFIGS)
        ]
        near = [
            entry for entry in nearest_first(typed, [*files, *folders]) if nearest(typed, [entry]) is not None
        ]
    return [os.path.join(folder, entry) for entry in near]


def _end(path: str) -> str:
    """How far a path leads."""
    whole = Path(os.path.abspath(path))
    there = next(parent for parent in whole.parents if os.path.isdir(parent))
    first = there / whole.relative_to(there).parts[0]
    return f"{first} is no folder" if os.path.lexists(first) else f"{there} holds no {first.name}"
