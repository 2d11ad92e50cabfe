"""Keys: the digest of a question to a checkpoint, under which its answer is shared."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lengthprobe.settings import CHANGE_NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.settings import Settings


def question_key(
    source: Source, settings: Settings, batch_size: int, asked: Mapping[str, Any], stamp: str = ""
) -> str:
    """A digest of all that determines an answer within one session.

    Args:
        source: The checkpoint.
        settings: How it is asked.
        batch_size: Most prompts at once.
        asked: The question, as JSON takes it.
        stamp: The stamp of the checkpoint's files. Written anew, the same path is another model.
    """
    stated = asdict(settings)
    content = {
        "source": [source.name, source.repo_id, source.revision, str(source.path)],
        "settings": {name: stated[name] for name in sorted(stated) if name not in CHANGE_NO_ANSWER},
        "stamp": stamp,
        "batch_size": batch_size,
        **asked,
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
