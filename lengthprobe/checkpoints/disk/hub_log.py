"""What the hub's client logs: nothing raw reaches a terminal, since errors say what happened."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def without_retries() -> Iterator[None]:
    """While the block lasts, the hub's client logs errors alone: it warns twice for each of its retries."""
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
