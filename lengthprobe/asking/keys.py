"""Keys: the digest of a question to a checkpoint, under which its answer is shared."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lengthprobe.settings import CHANGE_NO_ANSWER

# Whose code an answer comes from.
_ANSWERING = ("activations", "asking", "attribution", "checkpoints", "components", "generation", "task")

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.checkpoints.held import Held
    from lengthprobe.settings import Settings


def question_key(respondent: Mapping[str, Any], settings: Settings, asked: Mapping[str, Any]) -> str:
    """A digest of all that determines an answer.

    Args:
        respondent: The result of `respondent_of`.
        settings: The settings.
        asked: The question, as values for JSON.
    """
    stated = asdict(settings)
    content = {
        "respondent": respondent,
        "settings": {name: stated[name] for name in sorted(stated) if name not in CHANGE_NO_ANSWER},
        **asked,
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@lru_cache
def source_digest(*more: str) -> str:
    """The SHA-256 of the code that answers: a mended fault makes a kept answer useless.

    Args:
        more: Further folders and modules.
    """
    root = Path(__file__).parents[1]
    rooms = [root / room for room in (*_ANSWERING, *more)]
    paths = sorted(path for room in rooms for path in (room, *room.rglob("*")) if path.is_file())
    digest = sha256()
    for path in paths:
        if path.suffix != ".pyc":
            digest.update(
                f"{path.relative_to(root).as_posix()} {sha256(path.read_bytes()).hexdigest()}".encode()
            )
    return digest.hexdigest()


def respondent_of(held: Held) -> dict[str, Any]:
    """The respondent: the checkpoint by its content, the libraries, the device, the precision, the batch.

    Neither a name nor a place has a part: a copy of a checkpoint answers as the original. The attention
    implementation follows from the config and the libraries.

    Raises:
        ModelError: The checkpoint cannot be found, or the device not be had.
    """
    import torch

    from lengthprobe.checkpoints.digests import content_digest, versions_of
    from lengthprobe.checkpoints.precision import precision_flags

    files, placement = held.files, held.placement
    device = placement.device
    return {
        "checkpoint": content_digest(files),
        "versions": versions_of(files),
        "source": source_digest(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "dtype": str(placement.dtype),
        "precision": precision_flags(),
        "batch_size": held.batch_size,
    }
