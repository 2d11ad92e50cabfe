"""Keys: the digest of a question to a checkpoint, under which its answer is shared."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lengthprobe.activations.looks import Look
    from lengthprobe.attribution.forced import Forced
    from lengthprobe.checkpoints.catalog import Source
    from lengthprobe.components.names import Ablation, Component
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt

# Alpha, budget and counter change no response, only which are asked for and how they are read.
_DECISIVE = (
    *("cap", "prompt_form", "system_prompt", "thinking", "device_map", "dtype"),
    *("allow_pickle", "allow_remote_code"),
)


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
        "settings": {name: stated[name] for name in _DECISIVE},
        "stamp": stamp,
        "batch_size": batch_size,
        **asked,
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def prompts_question(
    batch: Sequence[Prompt],
    ablations: Sequence[Ablation],
    settings: Settings,
    *,
    traces: bool,
    words: str | None = None,
    beyond: int | None = None,
) -> dict[str, Any]:
    """What is asked of a batch of prompts, with or without attributions, each under its ablation.

    `words` says which kind of words alone may be written, `beyond` how far above N a response is followed.
    """
    asked: dict[str, Any] = {
        "prompts": [[prompt.id, prompt.text] for prompt in batch],
        "ablations": [ablated_question(one, settings) for one in ablations],
    }
    if beyond is not None:
        asked["beyond"] = [beyond, settings.counter]
    if words:
        # They are those of the responses to these prompts.
        asked["words"] = [words, settings.lengths, settings.budget, settings.seed]
    # The counter changes no response, but which of its tokens adhere.
    return asked | ({"traces": settings.counter} if traces else {})


def forced_question(
    texts: Sequence[Forced], ablation: Ablation, settings: Settings, target: str
) -> dict[str, Any]:
    """What is asked of a batch of forced texts under an ablation."""
    return {
        "target": target,
        "ablation": ablated_question(ablation, settings),
        "counter": settings.counter,
        "texts": [
            [one.prompt.text, one.token_ids, one.text, one.ended, one.last_only, one.opened] for one in texts
        ],
    }


def looks_question(looks: Sequence[Look], heads: Sequence[Component]) -> dict[str, Any]:
    """What is asked of some heads about a batch of texts."""
    return {
        "attention of": [one.name for one in heads],
        "looks": [[one.prompt.text, one.token_ids, one.steps, one.targets] for one in looks],
    }


def ablated_question(ablation: Ablation, settings: Settings) -> list[Any]:
    """What determines the outputs that are put in place: the means' prompts, and the donors' lengths."""
    stated = ablation.as_dict()
    if not stated:
        return []
    return [stated, settings.languages, settings.lengths, settings.budget, settings.seed]
