"""Answers: what a batch of prompts or texts gave, as bytes that another process can read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lengthprobe.attribution.trace import Contributions, ForcedTrace, Trace
from lengthprobe.errors import ModelError
from lengthprobe.task.adherence import Adherence
from lengthprobe.task.prompts import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lengthprobe.task.prompts import Prompt

_CONTENT = "content"


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """How many components a checkpoint has, and whether they add up to its logits.

    Args:
        architecture: The model_type in `components.anatomy`; empty where that is not known.
        n_layers, n_heads: L and H.
        gap: The largest completeness gap (`attribution.completeness`) of the proof, and of every step that a
            probe has captured since.
        problem: Why they cannot be measured, None where they can.
    """

    architecture: str = ""
    n_layers: int = 0
    n_heads: int = 0
    gap: float = 0.0
    problem: ModelError | None = None

    def to_bytes(self) -> bytes:
        """The same as bytes."""
        shape = [self.architecture, self.n_layers, self.n_heads, self.gap]
        return json.dumps([shape, _told(self.problem)]).encode()

    @classmethod
    def from_bytes(cls, made: bytes) -> Proof:
        """The same from bytes."""
        shape, problem = json.loads(made)
        architecture, n_layers, n_heads, gap = shape
        return cls(architecture, n_layers, n_heads, gap, _raised(problem))


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A response and, where it was asked for, what the components did in writing it.

    Args:
        response: The response.
        trace: Its attribution.
        adherence: The adherence of its tokens.
        problem: Why there is no attribution that can be used, None where there is, or none was asked for.
    """

    response: Response
    trace: Trace | None = None
    adherence: Adherence | None = None
    problem: ModelError | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a batch of prompts gave.

    Args:
        responses: One for each prompt.
        pieces: Into how many batches it was split for want of memory.
        traces: The attribution of each response; empty where none was asked for, or it failed.
        adherences: The adherence of each response's tokens; empty with `traces`.
        gap: The largest completeness gap of any step (`attribution.completeness`).
        problem: Why there are no traces, None where nothing went wrong.
    """

    responses: tuple[Response, ...]
    pieces: int
    traces: tuple[Trace, ...] = ()
    adherences: tuple[Adherence, ...] = ()
    gap: float = 0.0
    problem: ModelError | None = None

    def to_bytes(self) -> bytes:
        """The answers without their prompts."""
        content = {
            "responses": [as_list(one) for one in self.responses],
            "pieces": self.pieces,
            "adherences": [_as_list(one) for one in self.adherences],
            "gap": self.gap,
            "problem": _told(self.problem),
        }
        return _packed(
            content,
            {
                name: values
                for at, trace in enumerate(self.traces)
                for name, values in trace.as_arrays(f"{at}.").items()
            },
        )

    @classmethod
    def from_bytes(cls, made: bytes, prompts: Sequence[Prompt]) -> Answers:
        """The answers of these prompts."""
        content, arrays = _unpacked(made)
        return cls(
            tuple(
                from_list(prompt, listed)
                for prompt, listed in zip(prompts, content["responses"], strict=True)
            ),
            content["pieces"],
            tuple(Trace.from_arrays(arrays, f"{at}.") for at in range(len(prompts))) if arrays else (),
            tuple(_adherence(one) for one in content["adherences"]),
            content["gap"],
            _raised(content["problem"]),
        )

    def each(self) -> list[Traced]:
        """The responses one by one."""
        if not self.traces:
            return [Traced(response, problem=self.problem) for response in self.responses]
        return [
            Traced(*one, self.problem)
            for one in zip(self.responses, self.traces, self.adherences, strict=True)
        ]


def pack_forced(answers: Sequence[ForcedTrace]) -> bytes:
    """Answers to forced texts, as bytes."""
    return _packed(
        {"adherences": [one.adherence and _as_list(one.adherence) for one in answers]},
        {
            name: values
            for at, one in enumerate(answers)
            for name, values in one.contributions.as_arrays(f"{at}.").items()
        },
    )


def unpack_forced(made: bytes) -> list[ForcedTrace]:
    """The answers that `pack_forced` packed."""
    content, arrays = _unpacked(made)
    return [
        ForcedTrace(Contributions.from_arrays(arrays, f"{at}."), one and _adherence(one))
        for at, one in enumerate(content["adherences"])
    ]


def pack_shares(found: Sequence[NDArray[np.float32]]) -> bytes:
    """Shares of attention, an array a text, as bytes."""
    return _packed({"texts": len(found)}, {str(at): one for at, one in enumerate(found)})


def unpack_shares(made: bytes) -> list[NDArray[np.float32]]:
    """The shares that `pack_shares` packed."""
    content, arrays = _unpacked(made)
    return [arrays[str(at)] for at in range(content["texts"])]


def _packed(content: dict[str, Any], arrays: Mapping[str, NDArray[np.float32]]) -> bytes:
    text = json.dumps(content).encode()
    if not arrays:
        return text
    import numpy as np
    from safetensors.numpy import save

    packed: bytes = save({**arrays, _CONTENT: np.frombuffer(text, dtype=np.uint8)})
    return packed


def _unpacked(made: bytes) -> tuple[Any, dict[str, NDArray[np.float32]]]:
    # A safetensors file starts with the length of its header, and that is no text.
    if made[:1] == b"{":
        return json.loads(made), {}
    from safetensors.numpy import load

    arrays = load(made)
    return json.loads(arrays.pop(_CONTENT).tobytes()), arrays


def as_list(one: Response) -> list[Any]:
    """A response without its prompt, as JSON takes it."""
    return [list(one.token_ids), one.text, one.finish_reason, one.opened, one.thought_tokens]


def from_list(prompt: Prompt, listed: Sequence[Any]) -> Response:
    """The response that `as_list` listed."""
    tokens, *more = listed
    return Response(prompt, tuple(tokens), *more)


def _as_list(one: Adherence) -> list[Any]:
    return [one.counts, one.complete, one.ended, one.thought]


def _adherence(listed: Sequence[Any]) -> Adherence:
    counts, complete, ended, thought = listed
    return Adherence(tuple(counts), tuple(complete), ended, tuple(thought))


def _told(problem: ModelError | None) -> list[str] | None:
    return [problem.problem, problem.fix] if problem else None


def _raised(told: Sequence[str] | None) -> ModelError | None:
    return ModelError(*told) if told else None
