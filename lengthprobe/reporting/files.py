"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader finds all of the text, or what was there before.

    Args:
        path: The file; its folder exists.
        text: What it is to hold. A lone surrogate is written as an escape.

    Raises:
        OSError: It could not be written; nothing is left behind.
    """
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with unfinished.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            # Some file systems say only now that the disk is full.
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
