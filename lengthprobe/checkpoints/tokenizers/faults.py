"""The file at fault, where a tokenizer cannot be loaded."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lengthprobe.checkpoints.disk.weights import read_json
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from collections.abc import Callable

_WHOLE = "tokenizer.json"
# What adds to it, and without which it can be loaded.
_SIDES = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
_TEXT_FILES = (
    *(_WHOLE, *_SIDES, "vocab.json", "tekken.json"),
    *("merges.txt", "vocab.txt", "chat_template.jinja"),
)


def file_at_fault(directory: Path, load: Callable[[Path], object]) -> Path | None:
    """The unreadable file of a tokenizer, or the file without which loading works; None without either.

    Args:
        directory: Where the tokenizer is.
        load: Loads the tokenizer of a folder, or raises something.
    """
    present = [directory / name for name in _TEXT_FILES if (directory / name).is_file()]
    unreadable = next((path for path in present if what_is_wrong(path)), None)
    if unreadable is not None:
        return unreadable
    whole = directory / _WHOLE
    if whole in present and not _is_loaded(whole):
        return whole
    for path in present:
        if path.name in _SIDES and _loads_without(path, load):
            return path
    return None


def what_is_wrong(path: Path) -> str | None:
    """The fault in the text of a file, None where the text can be read."""
    try:
        if path.suffix == ".json":
            read_json(path)
        else:
            path.read_text(encoding="utf-8")
    except ModelError as error:
        return error.problem
    except (OSError, ValueError) as error:
        return f"{path} cannot be read: {reason(error)}"
    return None


def _is_loaded(path: Path) -> bool:
    from tokenizers import Tokenizer

    try:
        Tokenizer.from_file(str(path))
    # The library raises nothing narrower.
    except Exception:
        return False
    return True


def _loads_without(path: Path, load: Callable[[Path], object]) -> bool:
    """Whether the other files of a folder can be loaded without this file."""
    with tempfile.TemporaryDirectory(prefix="lengthprobe-") as folder:
        for other in path.parent.iterdir():
            if other.name != path.name:
                (Path(folder) / other.name).symlink_to(other.resolve())
        try:
            load(Path(folder))
        # A broken tokenizer file shows in as many ways as there are kinds of tokenizer.
        except Exception:
            return False
    return True
