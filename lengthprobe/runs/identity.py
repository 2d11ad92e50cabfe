"""Identity: the checkpoint's digests, the versions and the decoding, with which a run can be repeated."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lengthprobe.asking.progress import tell_reading
from lengthprobe.checkpoints.digests import config_digest, tokenizer_digest, versions_of, weights_digest
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lengthprobe.asking.asker import Asker
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.settings import Settings


@dataclass(frozen=True, slots=True)
class Identity:
    """All that determines the responses of a checkpoint.

    Args:
        name: The name as typed.
        kind: `fixture`, `directory`, `alias` or `hub`.
        repo_id: The checkpoint's id on the hub, or None.
        commit: The loaded commit on the hub.
        adapter: Whether the checkpoint is an adapter on a base; `config` and `weights` are then digests of
            both.
        architecture: The class of the model.
        config: SHA-256 over the content of config.json (rope, norms, windows, …), hexadecimal.
        weights: SHA-256 over the weight files, hexadecimal.
        tokenizer: SHA-256 over the tokenizer's files.
        chat_template: SHA-256 of the chat template, None without one.
        prompt_form: `chat` or `plain`, as used.
        system_prompt: The system message, None without one.
        template_arguments: The arguments of the chat template (a fixed date, whether to think aloud).
        thinking: `off` or `allow`, as in `Settings`.
        dtype: Number format of the weights.
        device: The device, by the name of its kind.
        attention: The attention implementation.
        batch_size: Most prompts at once.
        split_batches: The number of batches split for want of memory.
        cap: Most tokens in a response.
        end_token_ids: The tokens that end a response.
        ends_told: Which file names which end tokens, where the checkpoint's files do not agree; else empty.
        seed: Seed of the prompt stream.
        budget: Prompts a language.
        lengths: Requested numbers of words.
        counter: Word counter.
        overridden: Settings of the checkpoint's generation config without effect here.
        versions: Versions of Python and the libraries.
        ablation: The components whose output is replaced, by mode; None for a whole model.
        words: The kind of words allowed in responses, `one-token` or `several-token`; None for all words.
        left_out: The removed modules of a model with vision: the modules that no text runs through.
        stored: The storage formats of a GGUF file, whose weights run dequantized; None for other weights.
        display_name: The checkpoint's name in expressions and figures (`checkpoints.display_names`); the name
            identifies nothing.
        quantized: How the weights are quantized, and in which form they run; empty for plain weights.
        thought: How much room a thought has, and whether the chat template has a switch; empty where thoughts
            are not allowed.
        engine: The library that writes the responses.
        precision: The settings of torch that change how numbers are rounded.
        run: The saved run that gives the answers; empty for a checkpoint.
        sampled: How responses were drawn, in words (`Settings.sampled`); empty for greedy responses.
            Responses with attributions, or with components ablated, are greedy in any case.
    """

    name: str
    kind: str
    repo_id: str | None
    commit: str | None
    adapter: bool
    architecture: str
    config: str
    weights: str
    tokenizer: str
    chat_template: str | None
    prompt_form: str
    system_prompt: str | None
    template_arguments: dict[str, Any]
    thinking: str
    dtype: str
    device: str
    attention: str
    batch_size: int
    split_batches: int
    cap: int
    end_token_ids: tuple[int, ...]
    ends_told: str
    seed: int
    budget: int
    lengths: tuple[int, ...]
    counter: str
    overridden: tuple[str, ...]
    versions: dict[str, str]
    ablation: dict[str, list[str]] | None = None
    words: str | None = None
    left_out: tuple[str, ...] = ()
    stored: str | None = None
    display_name: str = ""
    quantized: str = ""
    thought: str = ""
    engine: str = "transformers"
    precision: dict[str, str | bool] = field(default_factory=dict)
    run: str = ""
    sampled: str = ""

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Identity:
        """The identity from JSON, without facts that this version does not know.

        Raises:
            TypeError: A fact is missing.
        """
        lists = {each.name: str(each.type).startswith("tuple") for each in fields(cls)}
        facts: dict[str, Any] = {
            name: tuple(fact) if lists[name] else fact for name, fact in kept.items() if name in lists
        }
        return cls(**facts)

    def as_dict(self) -> dict[str, Any]:
        """The identity, as values for JSON."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


def identity_of(probe: Asker) -> Identity:
    """The identity of a probe's checkpoint, with the facts of the probe's view.

    Raises:
        LengthprobeError: The checkpoint cannot be loaded, or not be asked in its form.
    """
    subject = probe.subject

    def find() -> dict[str, Any]:
        tell_reading(subject.tell, probe.files.weight_bytes, "computing the digest of")
        made = subject.held.once(
            lambda: identify(probe.checkpoint, subject.settings, batch_size=probe.batch_size)
        )
        return made.as_dict()

    if subject.identity is None:
        source = subject.source
        what = {"identity of": [source.name, source.kind, subject.respondent.directory]}
        subject.identity = Identity.from_dict(subject.respondent.recall(what, find))
    found: Identity = subject.identity
    return replace(
        found,
        display_name=subject.name,
        split_batches=found.split_batches + subject.memory.split_batches,
        ablation=probe.ablation.as_dict() or None,
        words=probe.words,
        sampled=probe.settings.sampled,
    )


def identify(checkpoint: Checkpoint, settings: Settings, *, batch_size: int) -> Identity:
    """The identity of a loaded checkpoint under some settings, before any question: no batch is split yet.

    Args:
        checkpoint: The checkpoint.
        settings: The settings.
        batch_size: Most prompts at once.

    Raises:
        ModelError: The files were written anew after the loading: the digests would be another model's.
    """
    # It imports torch, which a reader of saved identities has no need of.
    from lengthprobe.checkpoints.chat.template import prompt_form, template_arguments
    from lengthprobe.checkpoints.chat.thought_summary import thought_summary
    from lengthprobe.checkpoints.precision import precision_flags

    files = checkpoint.files
    template = checkpoint.chat_template
    form = prompt_form(checkpoint, settings)
    identity = Identity(
        name=checkpoint.name,
        kind=files.source.kind,
        repo_id=files.source.repo_id,
        commit=files.commit,
        adapter=files.adapter is not None,
        architecture=type(checkpoint.model).__name__,
        config=config_digest(files),
        weights=weights_digest(files),
        tokenizer=tokenizer_digest(files),
        chat_template=sha256(template.encode()).hexdigest() if template else None,
        prompt_form=form,
        system_prompt=settings.system_prompt,
        template_arguments=template_arguments(settings.thinking) if form == "chat" else {},
        thinking=settings.thinking,
        dtype=str(checkpoint.dtype).removeprefix("torch."),
        device=_device_name(checkpoint),
        attention=checkpoint.attention,
        batch_size=batch_size,
        split_batches=0,
        cap=settings.cap,
        end_token_ids=checkpoint.end_token_ids,
        ends_told=checkpoint.ends_told,
        seed=settings.seed,
        budget=settings.budget,
        lengths=tuple(settings.lengths),
        counter=settings.counter,
        overridden=checkpoint.overridden,
        left_out=checkpoint.left_out,
        versions=versions_of(files),
        stored=files.gguf.told() if files.gguf else None,
        quantized=checkpoint.quantized,
        thought=thought_summary(checkpoint, settings),
        precision=precision_flags(),
        sampled=settings.sampled,
    )
    if files.is_changed:
        raise ModelError(
            f"the files of {checkpoint.name} were written anew while it was judged",
            "judge it when nothing writes to its folder, or a copy of it",
        )
    return identity


def _device_name(checkpoint: Checkpoint) -> str:
    device = checkpoint.device
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()})"
