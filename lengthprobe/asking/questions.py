"""Questions to a checkpoint, as frozen values; each value states all that determines the answer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lengthprobe.asking.answers import Answers, Proof, pack_forced, pack_shares, unpack_forced, unpack_shares
from lengthprobe.statistics.forms import Form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.activations.component_outputs import ComponentOutputs
    from lengthprobe.activations.look import Floats, Look
    from lengthprobe.attribution.forced_text import Forced
    from lengthprobe.attribution.trace import ForcedTrace
    from lengthprobe.components.names import Ablation, Component
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt, Response

Answer = TypeVar("Answer")


class Question(Generic[Answer]):
    """A question to a checkpoint. Equal questions have equal answers."""

    @property
    def size(self) -> int:
        """The number of prompts or texts in the question."""
        return 1

    @property
    def needs(self) -> str:
        """The kind of answer that an engine must give: `text` or `components` (`asking.engine`)."""
        return "components"

    @property
    def concerns_all(self) -> bool:
        """Whether a failure here is a failure of the whole checkpoint: no question is then tried again."""
        return False

    @property
    def is_large(self) -> bool:
        """Whether the answer is a block's, of many megabytes: kept no longer than the block's probe."""
        return False

    @property
    def wider(self) -> Question[Answer] | None:
        """A question whose answer holds this one's too."""
        return None

    @property
    def may_be_early(self) -> bool:
        """Whether the question may be asked before the code that needs the answer (`asking.agenda`)."""
        return not self.is_large

    @property
    def manner(self) -> tuple[object, ...]:
        """The manner of asking: questions with equal manners are asked together."""
        return (type(self).__name__,)

    def content(self, settings: Settings) -> Mapping[str, Any]:
        """All that determines the answer besides the respondent (`asking.keys`), as values for JSON."""
        raise NotImplementedError

    def pack(self, answer: Answer) -> bytes:
        """The answer as bytes for other processes."""
        raise NotImplementedError

    def unpack(self, made: bytes) -> Answer:
        """The answer from the bytes of `pack`."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Write(Question["Answers"]):
    """Responses to a batch of prompts.

    Whole batches are asked and kept, since a number format may round otherwise in another batch.

    Args:
        prompts: The prompts.
        ablations: The ablation of each prompt.
        traces: Whether attributions are captured.
        words: The only kind of words allowed in responses (`generation.vocabulary`), None for all words.
        beyond: Words above N after which a response is no longer followed (`generation.runaways`).
        sample: The number of the sample, where responses are drawn; None for greedy responses.
    """

    prompts: tuple[Prompt, ...]
    ablations: tuple[Ablation, ...]
    traces: bool = False
    words: str | None = None
    beyond: int | None = None
    sample: int | None = None

    def __hash__(self) -> int:
        """The hash of the first and the last row: the hash of hundreds of rows takes time."""
        ends = (self.prompts[:1], self.prompts[-1:], self.ablations[:1], self.ablations[-1:])
        return hash((self.size, ends, self.traces, self.words, self.beyond, self.sample))

    @property
    def rows(self) -> tuple[tuple[str, Ablation], ...]:
        """The id of each prompt, with the prompt's ablation."""
        return tuple((prompt.id, one) for prompt, one in zip(self.prompts, self.ablations, strict=True))

    @property
    def size(self) -> int:
        """The number of prompts."""
        return len(self.prompts)

    @property
    def needs(self) -> str:
        """Text alone, where nothing is ablated, captured or forbidden."""
        return "text" if self.concerns_all and not self.traces else "components"

    @property
    def concerns_all(self) -> bool:
        """True without ablation and constraint: a failure under these says nothing of the checkpoint."""
        return self.words is None and not any(one.components for one in self.ablations)

    @property
    def is_large(self) -> bool:
        """Attributions within a block: a user may enter a thousand."""
        return self.traces and not self.concerns_all

    @property
    def wider(self) -> Write | None:
        """The question with attributions, too: capturing changes no response. No sample has attributions."""
        return None if self.traces or self.sample is not None else replace(self, traces=True)

    @property
    def may_be_early(self) -> bool:
        """False with attributions, which `Asker.prepare` asks for before the first answer."""
        return not self.traces

    @property
    def manner(self) -> tuple[object, ...]:
        """All but the rows, and whether each row has a donor, which takes a row of its own."""
        resampled = any(one.resample for one in self.ablations)
        return ("Write", self.traces, self.words, self.beyond, resampled, self.sample)

    def content(self, settings: Settings) -> Mapping[str, Any]:
        """The prompts, with ablations, limit, sample, words and traces."""
        asked: dict[str, Any] = {
            "prompts": [[prompt.id, prompt.text] for prompt in self.prompts],
            "ablations": [_ablated(one, settings) for one in self.ablations],
        }
        if self.beyond is not None:
            asked["beyond"] = [self.beyond, settings.counter]
        if self.sample is not None:
            asked["sample"] = [self.sample, str(settings.needed_sampling), settings.seed]
        if self.words:
            # They are those of the responses to these prompts.
            asked["words"] = [self.words, settings.lengths, settings.first_prompts, settings.seed]
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
    """The attribution of a batch of texts given to the checkpoint.

    Args:
        texts: The texts.
        ablation: The ablation of all texts.
        target: `token` or `stop_margin`, as in `attribution.forced.attribute_forced`.
    """

    texts: tuple[Forced, ...]
    ablation: Ablation
    target: str

    @property
    def size(self) -> int:
        """The number of texts."""
        return len(self.texts)

    @property
    def is_large(self) -> bool:
        """Whether the question is from within a block."""
        return bool(self.ablation.components)

    def content(self, settings: Settings) -> Mapping[str, Any]:
        """The texts, the ablation, and the target of each step."""
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
        """An attribution for each text."""
        return unpack_forced(made)


@dataclass(frozen=True, slots=True)
class Attend(Question["list[Floats]"]):
    """The attention of some heads on some words, in a batch of texts.

    Args:
        looks: The texts, with the places and the words.
        heads: The heads.
    """

    looks: tuple[Look, ...]
    heads: tuple[Component, ...]

    @property
    def size(self) -> int:
        """The number of texts."""
        return len(self.looks)

    def content(self, settings: Settings) -> Mapping[str, Any]:  # noqa: ARG002  (of a question)
        """The heads and the texts."""
        return {
            "attention of": [one.name for one in self.heads],
            "looks": [[one.prompt.text, one.token_ids, one.steps, one.targets] for one in self.looks],
        }

    def pack(self, answer: list[Floats]) -> bytes:
        """The arrays of all texts."""
        return pack_shares(answer)

    def unpack(self, made: bytes) -> list[Floats]:
        """An array for each text."""
        return unpack_shares(made)


@dataclass(frozen=True, slots=True)
class Score(Question["list[float]"]):
    """The mean negative log-likelihood of each of some ordinary texts, in nats a token.

    Args:
        texts: The texts.
        ablation: The ablation of all texts.
    """

    texts: tuple[str, ...]
    ablation: Ablation

    def content(self, settings: Settings) -> Mapping[str, Any]:
        """The texts, and the ablation."""
        return {"losses": list(self.texts), "ablation": _ablated(self.ablation, settings)}

    def pack(self, answer: list[float]) -> bytes:
        """The numbers as JSON."""
        return json.dumps(answer).encode()

    def unpack(self, made: bytes) -> list[float]:
        """A number for each text."""
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
        """The prompts and the tokens of the responses."""
        return {"outputs": [[one.prompt.id, one.prompt.text, *one.token_ids] for one in self.responses]}

    def pack(self, answer: ComponentOutputs) -> bytes:
        """Sizes and means as safetensors."""
        return answer.to_bytes()

    def unpack(self, made: bytes) -> ComponentOutputs:
        """Sizes and means."""
        from lengthprobe.activations.component_outputs import ComponentOutputs

        return ComponentOutputs.from_bytes(made)


@dataclass(frozen=True, slots=True)
class Prove(Question["Proof"]):
    """The numbers of layers and heads in a checkpoint, and whether the components add up to the logits."""

    @property
    def needs(self) -> str:
        """Any engine may be asked: an engine without components says so in the answer."""
        return "text"

    @property
    def concerns_all(self) -> bool:
        """True: unknown components are no failure, and any other failure is the whole checkpoint's."""
        return True

    def content(self, settings: Settings) -> Mapping[str, Any]:  # noqa: ARG002  (of a question)
        """Nothing more than the checkpoint."""
        return {"proof": True}

    def pack(self, answer: Proof) -> bytes:
        """The proof as JSON."""
        return answer.to_bytes()

    def unpack(self, made: bytes) -> Proof:
        """The proof from JSON."""
        return Proof.from_bytes(made)


@dataclass(frozen=True, slots=True)
class Describe(Question["Form"]):
    """The form in which a checkpoint is asked: prompt form, template, system prompt, ends.

    Args:
        place: The place of the checkpoint: the answer names the folder with files to mend.
    """

    place: str

    @property
    def needs(self) -> str:
        """Any engine may be asked."""
        return "text"

    @property
    def concerns_all(self) -> bool:
        """True: an impossible form is impossible for every prompt."""
        return True

    def content(self, settings: Settings) -> Mapping[str, Any]:  # noqa: ARG002  (of a question)
        """The place."""
        return {"form": self.place}

    def pack(self, answer: Form) -> bytes:
        """The form as JSON."""
        return json.dumps(asdict(answer)).encode()

    def unpack(self, made: bytes) -> Form:
        """The form from JSON."""
        stated = json.loads(made)
        return Form(**{**stated, "ends": tuple(stated["ends"])})


@dataclass(frozen=True, slots=True)
class Spell(Question["list[str]"]):
    """The texts of some rows of tokens.

    Args:
        rows: The tokens of each text.
    """

    rows: tuple[tuple[int, ...], ...]

    @property
    def needs(self) -> str:
        """Any engine may be asked."""
        return "text"

    def content(self, settings: Settings) -> Mapping[str, Any]:  # noqa: ARG002  (of a question)
        """The tokens."""
        return {"texts of": self.rows}

    def pack(self, answer: list[str]) -> bytes:
        """The texts as JSON."""
        return json.dumps(answer).encode()

    def unpack(self, made: bytes) -> list[str]:
        """The texts from JSON."""
        texts: list[str] = json.loads(made)
        return texts


def row_order(prompt: Prompt, ablation: Ablation) -> tuple[str, str, int, str]:
    """The order of rows in a batch. A batch runs as long as its longest response: like stands by like."""
    return (str(ablation), prompt.language, prompt.n_words, prompt.id)


def _ablated(ablation: Ablation, settings: Settings) -> list[Any]:
    """The content of an ablation: components, prompts of the means, and lengths of the donors."""
    stated = ablation.as_dict()
    if not stated:
        return []
    return [stated, settings.languages, settings.lengths, settings.first_prompts, settings.seed]
