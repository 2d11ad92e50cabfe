"""What a run needs to be repeated: the checkpoint's digests, the versions, and how it was decoded."""

from __future__ import annotations

import json
import platform
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.adapters.config import CONFIG
from lengthprobe.checkpoints.disk.weights import read_json
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lengthprobe.checkpoints.files import Files
    from lengthprobe.checkpoints.gguf.header import Gguf
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.settings import Settings

_TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("tokenizer.model", "spiece.model", "tekken.json", "vocab.json", "vocab.txt", "merges.txt"),
)
# Where the one who saved it had it: of the machine, and not of the checkpoint. The base that an adapter is on
# counts by its weights.
_PATHS = ("_name_or_path", "base_model_name_or_path")
_LIBRARIES = ("lengthprobe", "torch", "transformers", "tokenizers", "safetensors")


@dataclass(frozen=True, slots=True)
class Identity:
    """All that determines the responses of a checkpoint.

    Args:
        name: The name as it was typed.
        kind: `fixture`, `directory`, `alias` or `hub`.
        repo_id: Its id on the hub, if it is from there.
        commit: The commit on the hub that was loaded.
        adapter: Whether it is an adapter on a base; `config` and `weights` are then the digests of both.
        architecture: The class of the model.
        config: SHA-256 over what config.json says (rope, norms, windows, …), hexadecimal.
        weights: SHA-256 over the weight files, hexadecimal.
        tokenizer: SHA-256 over the tokenizer's files.
        chat_template: SHA-256 of the chat template, None without one.
        prompt_form: `chat` or `plain`, as it was used.
        system_prompt: The system message, None without one.
        template_arguments: What every chat template was told (a fixed date, whether to think aloud).
        thinking: `off` or `allow`, as in `Settings`.
        dtype: Number format of the weights.
        device: The device, by the name of its kind.
        attention: The attention implementation.
        batch_size: Most prompts at once.
        split_batches: How many batches were split for want of memory, and so ran smaller.
        cap: Most tokens in a response.
        end_token_ids: The tokens that end a response.
        ends_told: Who names which of them, where the checkpoint's files do not agree; else empty.
        seed: Seed of the prompt stream.
        budget: Prompts a language.
        lengths: Requested numbers of words.
        counter: Word counter.
        overridden: What the checkpoint's generation config asked for and did not get.
        versions: Of Python and the libraries.
        ablation: The components whose output is replaced, by mode; None of a whole model.
        words: The kind of words that responses were written with, `one-token` or `several-token`; None where
            they were free.
        left_out: The modules of a model that sees as well which no text runs through, and which are gone.
        stored: In what a GGUF file stores the weights, which are run dequantized; None for other weights.
        display_name: What expressions and figures call the checkpoint (`checkpoints.display_names`); it
            identifies nothing.
        quantized: How the weights are quantized, and what became of them; empty where they are not.
        thought: How much room a thought has, and whether the chat template has a switch; empty where thoughts
            are not allowed.
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

    def as_dict(self) -> dict[str, Any]:
        """The identity as JSON takes it."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


def identify(checkpoint: Checkpoint, settings: Settings, *, batch_size: int) -> Identity:
    """The identity of a loaded checkpoint under some settings, before it is asked: no batch is split yet.

    Args:
        checkpoint: The checkpoint.
        settings: What was asked of it.
        batch_size: Most prompts at once.

    Raises:
        ModelError: Its files were written anew since: their digests would be of another model.
    """
    # It imports torch, which a reader of saved identities has no need of.
    from lengthprobe.checkpoints.chat.template import prompt_form, template_arguments
    from lengthprobe.checkpoints.chat.thought_summary import thought_summary

    files = checkpoint.files
    template = checkpoint.chat_template
    form = prompt_form(checkpoint, settings)
    found = Identity(
        name=checkpoint.name,
        kind=files.source.kind,
        repo_id=files.source.repo_id,
        commit=files.commit,
        adapter=files.adapter is not None,
        architecture=type(checkpoint.model).__name__,
        config=config_digest(files),
        weights=weights_digest(files),
        tokenizer=_tokenizer_digest(files),
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
        versions=_versions(adapter=files.adapter is not None, gguf=files.gguf is not None),
        stored=files.gguf.told() if files.gguf else None,
        quantized=checkpoint.quantized,
        thought=thought_summary(checkpoint, settings),
    )
    if files.is_changed:
        raise ModelError(
            f"the files of {checkpoint.name} were written anew while it was judged",
            "judge it when nothing writes to its folder, or a copy of it",
        )
    return found


def config_digest(files: Files) -> str:
    """The SHA-256 of the SHA-256s of the config and, for an adapter, of the adapter's after it.

    Each is of the config as sorted JSON without the paths of whoever saved it, so that a copy has the digest
    of the original. A GGUF file's is of what its header says beside the tokenizer.
    """
    if files.gguf is not None:
        return _header_digest(files.gguf, tokenizer=False)
    paths = [files.directory / "config.json", *([files.adapter / CONFIG] if files.adapter else [])]
    stated = [{key: value for key, value in read_json(path).items() if key not in _PATHS} for path in paths]
    digests = [sha256(json.dumps(each, sort_keys=True).encode()).hexdigest() for each in stated]
    return sha256("".join(digests).encode()).hexdigest()


def weights_digest(files: Files) -> str:
    """The SHA-256 of the weight files' SHA-256s, in name order; an adapter's after those of its base.

    A GGUF file has its own, as who offers the file states it.
    """
    if files.gguf is not None:
        return _file_digest(files.gguf.path)
    return _digest((*files.weights, *files.adapter_weights))


def _tokenizer_digest(files: Files) -> str:
    if files.gguf is not None:
        return _header_digest(files.gguf, tokenizer=True)
    return _digest(path for name in _TOKENIZER_FILES if (path := files.tokenizer / name).is_file())


def _header_digest(gguf: Gguf, *, tokenizer: bool) -> str:
    """The SHA-256 of what a header says of the tokenizer, or of all else."""
    stated = {key: value for key, value in gguf.metadata.items() if key.startswith("tokenizer.") == tokenizer}
    return sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()


def _digest(paths: Iterable[Path]) -> str:
    # Reading a large checkpoint is what takes the time, and hashing frees the interpreter.
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(_file_digest, paths))
    return sha256("".join(digests).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _device_name(checkpoint: Checkpoint) -> str:
    device = checkpoint.device
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.machine()})"


def _versions(*, adapter: bool, gguf: bool) -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for library in (*_LIBRARIES, *(("peft",) if adapter else ()), *(("gguf",) if gguf else ())):
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = "not installed"
    return versions
