"""Stamps: when the files of a checkpoint were written, by which a change of them is seen."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Besides the weights, what a checkpoint is loaded from. A trainer writes other files beside them at any time.
READ = (
    *("config.json", "generation_config.json", "adapter_config.json"),
    *("*token*", "chat_template*", "vocab*", "merges.txt", "*.model"),
)


def stamp_of(directories: Iterable[Path], weights: Iterable[Path]) -> str:
    """A digest of the names, sizes and times of a checkpoint's files.

    Args:
        directories: Where its config, its tokenizer and its adapter are.
        weights: Its weight files.
    """
    states = []
    for path in sorted({*files_read(directories), *weights}):
        try:
            state = path.stat()
        # Gone since it was listed, which is a change as well.
        except OSError:
            continue
        states.append([str(path), state.st_size, state.st_mtime_ns])
    return sha256(json.dumps(states).encode()).hexdigest()


def files_read(directories: Iterable[Path], *, code: bool = False) -> list[Path]:
    """The files of a checkpoint besides the weights, in order.

    Args:
        directories: Where its config, its tokenizer and its adapter are.
        code: Whether its own Python code counts too.
    """
    patterns = (*READ, "*.py") if code else READ
    return sorted({path for folder in directories for pattern in patterns for path in folder.glob(pattern)})
