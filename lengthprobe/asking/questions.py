"""Questions: everything that a checkpoint can be asked, as frozen values that say what an answer hangs on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lengthprobe.asking.answers import Answers, Proof, pack_forced, pack_shares, unpack_forced, unpack_shares
from lengthprobe.statistics.forms import Form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.activations.looks import Floats, Look
    from lengthprobe.activations.outputs import ComponentOutputs
    from lengthprobe.attribution.forced import Forced
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.components.names import Ablation, Component
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt, Response

Answer = TypeVar("Answer")


class Question(Generic[Answer]):
    """Something that a checkpoint can be asked. Equal questions have equal answers."""

    @property
    def size(self) -> int:
        """How many prompts or texts there are in it."""
        return 1

    @property
    def needs(self) -> str:
        """Of what an engine must be able to tell: of `text` or of `components` (`asking.engine`)."""
        return "components"

    @property
    def concerns_all(self) -> bool:
        """Whether a checkpoint that fails here fails at everything: nothing is then tried again."""
        return False

    @property
    def is_large(self) -> bool:
        """Whether the answer is of many megabytes and of a block: kept no longer than the block's probe."""
        return False

    @property
    def wider(self) -> Question[Answer] | None:
        """A question whose answer holds this one's too."""
        return None

    @property
    def can_be_planned(self) -> bool:
        """Whether it may be asked before the code that wants it, by whoever plans (`asking.planning`)."""
        return not self.is_large

    @property
    def manner(self) -> tuple[object, ...]:
        """Questions of one manner are asked together."""
        return (type(self).__name__,)

    def content(self, settings: Settings) -> Mapping[str, Any]:
        """All that the answer hangs on beside the checkpoint and how it runs, as JSON takes it."""
        raise NotImplementedError

    def pack(self, answer: Answer) -> bytes:
        """The answer as bytes that another process can read."""
        raise NotImplementedError

    def unpack(self, made: bytes) -> Answer:
        """The answer that `pack` packed."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Write(Question["Answers"]):
    """Responses to one batch of prompts.

    The batch is what is asked and kept, since a number format may round otherwise in another batch.

    Args:
        prompts: The prompts.
        ablations: What is ablated for each.
        traces: Whether attributions are captured.
        words: The kind of words that alone may be written (`generation.vocabulary`), None for all.
        beyond: Words above N after which nothing more of a response is wanted (`generation.runaways`).
    """

    prompts: tuple[Prompt, ...]
    ablations: tuple[Ablation, ...]
    traces: bool = False
    words: str | None = None
    beyond: int | None = None

    @property
    def rows(self) -> tuple[tuple[str, Ablation], ...]:
        """The id of each prompt, with what is ablated for it."""
        return tuple((prompt.id, one) for prompt, one in zip(self.prompts, self.ablations, strict=True))

    @property
    def size(self) -> int:
        """How many prompts there are."""
        return len(self.prompts)

    @property
    def needs(self) -> str:
        """Text alone, where nothing is ablated, captured or forbidden."""
        return "text" if self.concerns_all and not self.traces else "components"

    @property
    def concerns_all(self) -> bool:
        """What is impossible under an ablation, or with some words alone, says nothing of the checkpoint."""
        return self.words is None and not any(one.components for one in self.ablations)

    @property
    def is_large(self) -> bool:
        """Attributions within a block: a user may enter a thousand."""
        return self.traces and not self.concerns_all

    @property
    def wider(self) -> Write | None:
        """The same with attributions: capturing them changes no response."""
        return None if self.traces else replace(self, traces=True)

    @property
    def can_be_planned(self) -> bool:
        """Whoever wants attributions says so before the first answer (`asking.asker.Asker.prepare`)."""
        return not self.traces

    @property
    def manner(self) -> tuple[object, ...]:
        """All but the rows, and whether each row has a donor, which takes a row of its own."""
        resampled = any(one.resample for one in self.ablations)
        return ("Write", self.traces, self.words, self.beyond, resampled)

    def content(self, settings: Settings) -> Mapping[str, Any]:
        """The prompts, with what is done for each."""
        asked: dict[str, Any] = {
            "prompts": [[prompt.id, prompt.text] for prompt in self.prompts],
            "ablations": [_ablated(one, settings) for one in self.ablations],
        }
        if self.beyond is not None:
            asked["beyond"] = [self.beyond, settings.counter]
        if self.words:
            # They are those of the responses to these prompts.
            asked["words"] = [self.words, settings.lengths, settings.budget, settings.seed]
        # The counter changes no response, but which of its tokens adhere.
        return asked | ({"traces": settings.counter} if self.traces else {})

    def pack(self, answer: Answers) -> bytes:
        """Responses and attributions, without the prompts."""
        return answer.to_bytes()

    def unpack(self, made: bytes) -> Answers:
        """The answers to these prompts."""
        return Answers.from_bytes(made, self.prompts)


@dataclass(frozen=True, slots=True)
class Force(Question["list[ForcedTrace]"]):
    """What the components say to one batch of texts that the checkpoint is given.

    Args:
        texts: The texts.
        ablation: What is ablated.
        target: `token` or `stop_margin`, as in `attribution.forced.attribute_forced`.
    """

    texts: tuple[Forced, ...]
    ablation: Ablation
    target: str

    @property
    def size(self) -> int:
        """How many texts there are."""
        return len(self.texts)

    @property
    def is_large(self) -> bool:
        """Within a block."""
        return bool(self.ablation.components)

    def content(self, settings: Settings) -> Mapping[str, Any]:
        """The texts, what is ablated, what is asked of each step."""
        return {
            "target": self.target,
            "ablation": _ablated(self.ablation, settings),
            "counter": settings.counter,
            "texts": [
                [one.prompt.text, one.token_ids, one.text, one.ended, one.last_only, one.opened]
                for one in self.texts
            ],
        }

    def pack(self, answer: list[ForcedTrace]) -> bytes:
        """Attributions and adherence of each text."""
        return pack_forced(answer)

    def unpack(self, made: bytes) -> list[ForcedTrace]:
        """One for each text."""
        return unpack_forced(made)


@dataclass(frozen=True, slots=True)
class Attend(Question["list[Floats]"]):
    """How much some heads attend to some words, in one batch of texts.

    Args:
        looks: The texts, with the places and the words.
        heads: The heads.
    """

    looks: tuple[Look, ...]
    heads: tuple[Component, ...]

    @property
    def size(self) -> int:
        """How many texts there are."""
        return len(self.looks)

    def content(self, settings: Settings) -> Mapping[str, Any]:  # noqa: ARG002  (of a question)
        """The heads and the texts."""
        return {
            "attention of": [one.name for one in self.heads],
            "looks": [[one.prompt.text, one.token_ids, one.steps, one.targets] for one in self.looks],
        }

    def pack(self, answer: list[Floats]) -> bytes:
        """An array a text."""
        return pack_shares(answer)

    def unpack(self, made: bytes) -> list[Floats]:
        """One for each text."""
        return unpack_shares(made)


@dataclass(frozen=True, slots=True)
class Score(Question["list[float]"]):
    """The mean negative log-likelihood of the tokens of each of some ordinary texts, in nats a token.

    Args:
        texts: The texts.
        ablation: What is ablated.
    """

    texts: tuple[str, ...]
    ablation: Ablation

    def content(self, settings: Settings) -> Mapping[str, Any]:
        """The texts, and what is ablated."""
        return {"losses": list(self.texts), "ablation": _ablated(self.ablation, settings)}

    def pack(self, answer: list[float]) -> bytes:
        """As JSON."""
        return json.dumps(answer).encode()

    def unpack(self, made: bytes) -> list[float]:
        """One for each text."""
        found: list[float] = json.loads(made)
        return found


@dataclass(frozen=True, slots=True)
class Observe(Question["ComponentOutputs"]):
    """Sizes and means of the outputs of the whole model's components, where some responses are written.

    Args:
        responses: The responses.
    """

    responses: tuple[Response, ...]

    def content(self, settings: Settings) -> Mapping[str, Any]:  # noqa: ARG002  (of a question)
        """The prompts: greedy responses to them are always the same."""
        return {"outputs": [[one.prompt.id, one.prompt.text] for one in self.responses]}

    def pack(self, answer: ComponentOutputs) -> bytes:
        """As safetensors."""
        return answer.to_bytes()

    def unpack(self, made: bytes) -> ComponentOutputs:
        """Sizes and means."""
        from lengthprobe.activations.outputs import ComponentOutputs

        return ComponentOutputs.from_bytes(made)


@dataclass(frozen=True, slots=True)
class Prove(Question["Proof"]):
    """How many components a checkpoint has, and whether they add up to its logits."""

    @property
    def needs(self) -> str:
        """Of any engine: one that has no components to tell of says so."""
        return "text"

    @property
    def concerns_all(self) -> bool:
        """Components that are not known are no failure, and what else fails fails everywhere."""
        return True

    def content(self, settings: Settings) -> Mapping[str, Any]:  # noqa: ARG002  (of a question)
        """Nothing more than the checkpoint."""
        return {"proof": True}

    def pack(self, answer: Proof) -> bytes:
        """As JSON."""
        return answer.to_bytes()

    def unpack(self, made: bytes) -> Proof:
        """From JSON."""
        return Proof.from_bytes(made)


@dataclass(frozen=True, slots=True)
class Describe(Question["Form"]):
    """In what form a checkpoint is asked: prompt form, template, system prompt, ends.

    Args:
        place: Where the checkpoint is: the answer says in which folder to mend what.
    """

    place: str

    @property
    def needs(self) -> str:
        """Of any engine."""
        return "text"

    @property
    def concerns_all(self) -> bool:
        """A form that cannot be had is had by no prompt."""
        return True

    def content(self, settings: Settings) -> Mapping[str, Any]:  # noqa: ARG002  (of a question)
        """The place."""
        return {"form": self.place}

    def pack(self, answer: Form) -> bytes:
        """As JSON."""
        return json.dumps(asdict(answer)).encode()

    def unpack(self, made: bytes) -> Form:
        """From JSON."""
        stated = json.loads(made)
        return Form(**{**stated, "ends": tuple(stated["ends"])})


def _ablated(ablation: Ablation, settings: Settings) -> list[Any]:
    """What determines the outputs that are put in place: the means' prompts, and the donors' lengths."""
    stated = ablation.as_dict()
    if not stated:
        return []
    return [stated, settings.languages, settings.lengths, settings.budget, settings.seed]
