"""Files written whole or not at all."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader finds either the whole new content or the old content.

    Args:
        path: The file; its folder exists.
        content: The new content. A lone surrogate in a text is written as an escape.

    Raises:
        OSError: The file could not be written; nothing is left behind.
    """
    written = content.encode("utf-8", errors="backslashreplace") if isinstance(content, str) else content
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with unfinished.open("xb") as file:
            file.write(written)
            file.flush()
            # Some file systems say only now that the disk is full.
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
