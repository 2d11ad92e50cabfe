"""Names of GGUF files: which of them are those of models."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Beside a model lies what it sees with.
_NO_MODEL = re.compile(r"^mmproj|[-_.]mmproj", re.IGNORECASE)


def model_files(names: Iterable[str]) -> list[str]:
    """Those of the names that GGUF files of models have, sorted."""
    return sorted(
        {name for name in names if name.endswith(".gguf") and not _NO_MODEL.search(PurePath(name).name)}
    )
