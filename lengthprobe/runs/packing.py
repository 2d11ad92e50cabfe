"""Packing: responses and attributions of a language as the text and the arrays of a saved run's files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.answers import Traced
from lengthprobe.attribution.trace import Contributions, ForcedTrace, Trace
from lengthprobe.task.adherence import Adherence
from lengthprobe.task.prompts import Prompt, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lengthprobe.attribution.forced_text import Forced

    Arrays = Mapping[str, NDArray[np.float32]]
    # All of a forced text that determines its attribution, with the target.
    ForcedKey = tuple[str, tuple[int, ...], str | None, bool, bool, bool, str]


@dataclass(frozen=True, slots=True)
class Attributions:
    """The attributions of a language's responses.

    Args:
        counter: The word counter of the adherences.
        traced: The attribution of each response, by the id of its prompt.
        forced: The attributions of forced texts.
    """

    counter: str
    traced: Mapping[str, Traced]
    forced: Mapping[ForcedKey, ForcedTrace] = field(default_factory=dict)


def forced_key(text: Forced, target: str) -> ForcedKey:
    """The key of a forced text."""
    prompt = text.prompt.text
    return (prompt, tuple(text.token_ids), text.text, text.ended, text.last_only, text.opened, target)


def pack_responses(responses: Iterable[Response]) -> str:
    """Responses with their prompts as JSON, one response a line, so that git shows which ones changed."""
    rows = []
    for response in responses:
        values = asdict(response)
        if response.sample is None:
            del values["sample"]
        rows.append(json.dumps({"prompt": values.pop("prompt"), **values}, ensure_ascii=True))
    return "[\n" + ",\n".join(rows) + "\n]\n"


def unpack_responses(text: str) -> tuple[Response, ...]:
    """The responses from the text of `pack_responses`.

    Raises:
        ValueError, TypeError, KeyError: The text is something else.
    """
    return tuple(
        Response(**{**row, "prompt": Prompt(**row["prompt"]), "token_ids": tuple(row["token_ids"])})
        for row in json.loads(text)
    )


def pack_attributions(attributions: Attributions) -> tuple[str, bytes]:
    """Attributions in two parts: facts as JSON, and arrays as safetensors.

    The steps of all responses stand one after the other in each array.
    """
    from safetensors.numpy import save

    traces = {prompt: traced.trace for prompt, traced in attributions.traced.items() if traced.trace}
    facts = {
        "counter": attributions.counter,
        "responses": [
            [prompt, len(trace.token.logits), _listed(attributions.traced[prompt].adherence)]
            for prompt, trace in traces.items()
        ],
        "forced": [
            [*key, len(forced.contributions.logits), _listed(forced.adherence)]
            for key, forced in attributions.forced.items()
        ],
    }
    arrays = {
        **_joined("token", [trace.token for trace in traces.values()]),
        **_joined("stop", [trace.stop for trace in traces.values()]),
        **_joined("forced", [forced.contributions for forced in attributions.forced.values()]),
    }
    return json.dumps(facts) + "\n", save(arrays)


def unpack_attributions(text: str, made: bytes, responses: Iterable[Response]) -> Attributions:
    """The attributions from the parts of `pack_attributions`.

    Args:
        text: The facts.
        made: The arrays.
        responses: The responses of the language.

    Raises:
        ValueError, TypeError, KeyError, SafetensorError: A part is something else.
    """
    from safetensors.numpy import load

    facts, arrays = json.loads(text), load(made)
    by_prompt = {response.prompt.id: response for response in responses if response.sample is None}
    steps = [number for _, number, _ in facts["responses"]]
    token, stop = (_parted(target, arrays, steps) for target in ("token", "stop"))
    traced = {
        prompt: Traced(by_prompt[prompt], Trace(token[row], stop[row]), _adherence(listed))
        for row, (prompt, _, listed) in enumerate(facts["responses"])
    }
    contributions = _parted("forced", arrays, [number for *_, number, _ in facts["forced"]])
    forced: dict[ForcedKey, ForcedTrace] = {}
    for row, (prompt, tokens, *rest, _, listed) in enumerate(facts["forced"]):
        written, ended, last_only, opened, target = rest
        key = (prompt, tuple(tokens), written, ended, last_only, opened, target)
        forced[key] = ForcedTrace(contributions[row], _adherence(listed))
    return Attributions(facts["counter"], traced, forced)


def _joined(target: str, every: Sequence[Contributions]) -> dict[str, NDArray[np.float32]]:
    """The arrays of several contributions, one after the other; empty for none."""
    import numpy as np

    if not every:
        return {}
    return {
        f"{target}.{name}": np.concatenate([getattr(each, name) for each in every])
        for name in Contributions.names()
    }


def _parted(target: str, arrays: Arrays, steps: Sequence[int]) -> list[Contributions]:
    """The contributions with so many steps each, from the arrays of `_joined`."""
    if not steps:
        return []
    names = Contributions.names()
    if any(len(arrays[f"{target}.{name}"]) != sum(steps) for name in names):
        raise ValueError(f"the arrays of {target} have another number of steps than the facts")
    ends = [sum(steps[: row + 1]) for row in range(len(steps))]
    return [
        Contributions(*(arrays[f"{target}.{name}"][end - number : end] for name in names))
        for end, number in zip(ends, steps, strict=True)
    ]


def _listed(adherence: Adherence | None) -> list[Any] | None:
    if adherence is None:
        return None
    return [adherence.counts, adherence.complete, adherence.ended, adherence.thought]


def _adherence(listed: Sequence[Any] | None) -> Adherence | None:
    if listed is None:
        return None
    counts, complete, ended, thought = listed
    return Adherence(tuple(counts), tuple(complete), ended, tuple(thought))
