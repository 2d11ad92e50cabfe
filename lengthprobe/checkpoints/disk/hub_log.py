"""The log of the hub's client: no raw line reaches a terminal, since errors say what happened."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def without_retries() -> Iterator[None]:
    """Silence warnings of the hub's client within the block: the client warns twice for each retry."""
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
