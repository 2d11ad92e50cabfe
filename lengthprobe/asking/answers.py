"""Answers: the results of a batch of prompts or texts, as bytes for other processes."""

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

    from lengthprobe.errors import LengthprobeError
    from lengthprobe.task.prompts import Prompt

_CONTENT = "content"


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """The numbers of layers and heads in a checkpoint, and whether the components add up to the logits.

    Args:
        architecture: The model_type in `components.anatomy`; empty for an unknown architecture.
        n_layers, n_heads: L and H.
        gap: The largest completeness gap (`attribution.completeness`) of the proof, and of every step
            captured since.
        problem: Why the components cannot be measured, else None.
    """

    architecture: str = ""
    n_layers: int = 0
    n_heads: int = 0
    gap: float = 0.0
    problem: LengthprobeError | None = None

    def to_bytes(self) -> bytes:
        """The proof as bytes."""
        shape = [self.architecture, self.n_layers, self.n_heads, self.gap]
        return json.dumps([shape, _told(self.problem)]).encode()

    @classmethod
    def from_bytes(cls, made: bytes) -> Proof:
        """The proof from bytes."""
        shape, problem = json.loads(made)
        architecture, n_layers, n_heads, gap = shape
        return cls(architecture, n_layers, n_heads, gap, _raised(problem))


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A response and, where asked for, its attribution.

    Args:
        response: The response.
        trace: The attribution.
        adherence: The adherence of its tokens.
        problem: Why the attribution is missing; None where nothing went wrong.
    """

    response: Response
    trace: Trace | None = None
    adherence: Adherence | None = None
    problem: LengthprobeError | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The responses to a batch of prompts, with attributions where asked for.

    Args:
        responses: A response for each prompt.
        pieces: The number of smaller batches after splits for want of memory.
        traces: The attribution of each response; empty where not asked for, or after a failure.
        adherences: The adherence of each response's tokens; empty with `traces`.
        gap: The largest completeness gap of any step (`attribution.completeness`).
        problem: Why there are no traces, None where nothing went wrong.
    """

    responses: tuple[Response, ...]
    pieces: int
    traces: tuple[Trace, ...] = ()
    adherences: tuple[Adherence, ...] = ()
    gap: float = 0.0
    problem: LengthprobeError | None = None

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
        """Each response with its attribution."""
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
    """The answers from the bytes of `pack_forced`."""
    content, arrays = _unpacked(made)
    return [
        ForcedTrace(Contributions.from_arrays(arrays, f"{at}."), one and _adherence(one))
        for at, one in enumerate(content["adherences"])
    ]


def pack_shares(found: Sequence[NDArray[np.float32]]) -> bytes:
    """Shares of attention, an array a text, as bytes."""
    return _packed({"texts": len(found)}, {str(at): one for at, one in enumerate(found)})


def unpack_shares(made: bytes) -> list[NDArray[np.float32]]:
    """The shares from the bytes of `pack_shares`."""
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
    """A response without its prompt, as values for JSON."""
    listed = [list(one.token_ids), one.text, one.finish_reason, one.opened, one.thought_tokens]
    return listed if one.sample is None else [*listed, one.sample]


def from_list(prompt: Prompt, listed: Sequence[Any]) -> Response:
    """The response from the list of `as_list`."""
    tokens, *more = listed
    return Response(prompt, tuple(tokens), *more)


def _as_list(one: Adherence) -> list[Any]:
    return [one.counts, one.complete, one.ended, one.thought]


def _adherence(listed: Sequence[Any]) -> Adherence:
    counts, complete, ended, thought = listed
    return Adherence(tuple(counts), tuple(complete), ended, tuple(thought))


def _told(problem: LengthprobeError | None) -> list[str] | None:
    return [problem.problem, problem.fix] if problem else None


def _raised(told: Sequence[str] | None) -> ModelError | None:
    return ModelError(*told) if told else None
