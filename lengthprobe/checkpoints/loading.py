"""A checkpoint in memory: loaded whole, proven finite, and set to decode greedily."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from transformers import GenerationConfig

from lengthprobe.checkpoints.adapters.merging import apply_adapter
from lengthprobe.checkpoints.chat.ends import ends_of
from lengthprobe.checkpoints.chat.rendered import rendered_prompts
from lengthprobe.checkpoints.chat.template import processor_template, refuse_two_templates
from lengthprobe.checkpoints.chat.thinking import thought_marks
from lengthprobe.checkpoints.disk.config_fields import build_error
from lengthprobe.checkpoints.disk.load_report import first_names
from lengthprobe.checkpoints.disk.weights import read_json
from lengthprobe.checkpoints.docstrings import refuse_stripped
from lengthprobe.checkpoints.files import Files, locate
from lengthprobe.checkpoints.first_run import run_once
from lengthprobe.checkpoints.gguf.weights import load_dequantized
from lengthprobe.checkpoints.leftovers import without_adapter_config
from lengthprobe.checkpoints.memory import is_out_of_memory
from lengthprobe.checkpoints.placement import Placement, place, refuse_too_large
from lengthprobe.checkpoints.quantized.formats import loaded_quantization, refuse_unquantized, require_library
from lengthprobe.checkpoints.quantized.layers import is_finite
from lengthprobe.checkpoints.quiet import quiet_transformers
from lengthprobe.checkpoints.taken import check_parameters
from lengthprobe.checkpoints.text_alone import auto_class, leave_out_unused, sees
from lengthprobe.checkpoints.tokenizers.decoding import overridden_settings, stated_generation
from lengthprobe.checkpoints.tokenizers.loading import check_tokenizer, load_tokenizer
from lengthprobe.checkpoints.tokenizers.token_ids import (
    embedding_rows,
    is_row,
    leave_out_bad_padding,
    set_apart,
    text_of,
)
from lengthprobe.checkpoints.whole import check_complete
from lengthprobe.errors import ModelError, reason
from lengthprobe.task.languages import available
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lengthprobe.checkpoints.row_limits import RowLimits
    from lengthprobe.settings import Settings

# So many prompts a language show how a tokenizer reads them.
_COMPARED = 60


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A loaded model, with all that generation needs.

    Args:
        files: The checkpoint's files.
        model: The transformers model, in evaluation mode, with a plain generation config.
        tokenizer: Its tokenizer.
        end_token_ids: The tokens that end a response.
        pad_token_id: The padding token on the left of a batch, masked everywhere.
        chat_template: The template of a conversation, or None.
        device: Where prompts are put.
        dtype: The number format of its weights.
        attention: The attention implementation.
        context: Most tokens that the model reads, None where the config does not say.
        overridden: Settings of the generation config without effect here, as `name=value`.
        ends_told: Which file names which end tokens, where the checkpoint's files do not agree; else empty.
        apart: The text in place of each special or unknown token.
        in_parts: Whether the template wants the content of a message as a list of parts.
        left_out: The removed modules of a model with vision: the modules that no text runs through.
        quantized: How the weights are quantized, and in which form they run; empty for plain weights.
        limits: The numbers of rows with which memory ran out in this run; None: no number is remembered.
    """

    files: Files
    model: Any
    tokenizer: Any
    end_token_ids: tuple[int, ...]
    pad_token_id: int
    chat_template: str | None
    device: torch.device
    dtype: torch.dtype
    attention: str
    context: int | None
    overridden: tuple[str, ...]
    ends_told: str = ""
    apart: Mapping[int, str] = field(default_factory=dict)
    in_parts: bool = False
    left_out: tuple[str, ...] = ()
    quantized: str = ""
    limits: RowLimits | None = None

    @property
    def name(self) -> str:
        """The name as typed."""
        return self.files.source.name

    def decode(self, token_ids: Sequence[int]) -> str:
        """The text of some tokens. Special tokens are left out, and separate the words beside them.

        The marks of a thought stay in the text: else the thought would be a part of the answer.
        """
        return text_of(self.tokenizer, token_ids, self.apart)


def load_checkpoint(name: str | Files, settings: Settings) -> Checkpoint:
    """The checkpoint of a name (or of files already located), in memory.

    Raises:
        ModelError: The checkpoint cannot be found, loaded or trusted; the message says why, and the next
            thing to type.
    """
    refuse_stripped()
    files = locate(name, settings) if isinstance(name, str) else name
    placement = place(files, settings)
    refuse_too_large(files, placement)
    leave_out_bad_padding(files.config)
    stated = stated_generation(files.directory) if files.gguf is None else {}
    with quiet_transformers():
        tokenizer = load_tokenizer(files, settings)
        requests = _telling_prompts(settings)
        check_tokenizer(files, tokenizer, requests)
        refuse_two_templates(files)
        template = _chat_template(files, tokenizer)
        in_parts = False
        if template is not None and settings.prompt_form != "plain":
            rendered = rendered_prompts(files, tokenizer, template, requests, settings.system_prompt)
            in_parts = rendered.in_parts
            check_tokenizer(files, tokenizer, rendered.texts)
        model, left_out, quantized = _load_model(files, settings, placement)
    rows = embedding_rows(model)
    ends = ends_of(files, stated, tokenizer, template, rows, in_parts=in_parts)
    # What generate() is not told, it would take from here.
    model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    pad = tokenizer.pad_token_id
    shape = model.config.get_text_config()
    return Checkpoint(
        files=files,
        model=model,
        tokenizer=tokenizer,
        end_token_ids=ends.token_ids,
        ends_told=ends.told,
        # Padding is masked: any token will do that the model knows.
        pad_token_id=pad if is_row(pad, rows) else ends.token_ids[0],
        apart=set_apart(tokenizer, rows) | thought_marks(tokenizer),
        chat_template=template,
        device=model.get_input_embeddings().weight.device,
        dtype=model.dtype,
        attention=str(getattr(shape, "_attn_implementation", None) or "eager"),
        context=getattr(shape, "max_position_embeddings", None),
        overridden=overridden_settings(stated),
        in_parts=in_parts,
        left_out=left_out,
        quantized=quantized,
    )


def _telling_prompts(settings: Settings) -> list[str]:
    """Prompts in each language asked in, by which a tokenizer is compared with its file.

    An unknown language is no error here: the error comes when prompts of the language are drawn.
    """
    known = [language for language in settings.languages if language in available()]
    return [
        prompt.text
        for language in known or ["en"]
        for prompt in prompts(language, lengths=settings.lengths, budget=min(_COMPARED, settings.budget))
    ]


def _load_model(files: Files, settings: Settings, placement: Placement) -> tuple[Any, tuple[str, ...], str]:
    """The model, the names of the modules left out, and the kind of quantization."""
    require_library(files.source.name, files.config)
    whole = _device_map(placement)
    try:
        model, quantized = (
            _from_folder(files, settings, placement, whole)
            if files.gguf is None
            else (load_dequantized(files.gguf, files.config, placement.dtype, whole), "")
        )
        if whole is None:
            model = model.to(placement.device)
        if files.adapter:
            # So that what is wrong with the base is not laid on its adapter.
            _check_finite(files, model)
            model = apply_adapter(model, files.adapter, files.adapter_weights)
        left_out = leave_out_unused(model) if sees(files.config) else ()
        if quantized:
            run_once(files.source.name, model, quantized)
        # The check takes memory of its own, beside weights that may just have fitted.
        _check_finite(files, model)
    except ModelError:
        raise
    # Loading runs the architecture's own code, and a library a quantized checkpoint asks for.
    except Exception as error:
        if is_out_of_memory(error):
            raise ModelError(
                f"{files.source.name} does not fit on {placement.device}: {str(error) or 'memory is out'}",
                "a smaller format (setting:dtype=bfloat16), more devices "
                "(setting:device-map=balanced), or setting:device-map=cpu",
            ) from error
        if files.gguf is not None:
            raise ModelError(
                f"{files.gguf.path} cannot be loaded: {type(error).__name__}: {reason(error)}",
                "judge the checkpoint that it was converted from; or, if the message names a library: "
                "pip install --upgrade transformers gguf",
            ) from error
        path = files.directory / "config.json"
        at_fault = build_error(path, read_json(path), files.config, error)
        raise at_fault or ModelError(
            f"{files.directory} cannot be loaded: {type(error).__name__}: {reason(error)}",
            "check that config.json belongs to the weights; pip install what the message names",
        ) from error
    return model.eval().requires_grad_(requires_grad=False), left_out, quantized


def _from_folder(files: Files, settings: Settings, placement: Placement, whole: Any) -> tuple[Any, str]:
    """The model of a folder, with the values of its weight files, and the kind of quantization."""
    with without_adapter_config(files.directory) as directory:
        model, report = auto_class(files.config).from_pretrained(
            directory,
            config=_config_of(files),
            dtype=placement.dtype or "auto",
            device_map=whole,
            output_loading_info=True,
            # Taken up in the report below, where they are named.
            ignore_mismatched_sizes=True,
            use_safetensors=files.weights[0].suffix == ".safetensors",
            trust_remote_code=settings.allow_remote_code,
            local_files_only=True,
            # Its own is not used, and one that transformers refuses is no fault of the weights.
            generation_config=GenerationConfig(),  # type: ignore[no-untyped-call]
        )
    _restore_config(model)
    check_complete(files, report)
    refuse_unquantized(files.directory / "config.json", files.config, files.weights)
    quantized = loaded_quantization(files.config, model)
    if not quantized:
        check_parameters(files.weights, model)
    return model, quantized


def _config_of(files: Files) -> Any:
    """The config, with the checked weight files named in the config: transformers loads these files."""
    config = copy.deepcopy(files.config)
    for part in (config, config.get_text_config()):
        part.transformers_weights = files.loaded_as
    return config


def _restore_config(model: Any) -> None:
    """Take the name of the weight files out again, which a saved copy of the model need not have."""
    for part in (model.config, model.config.get_text_config()):
        vars(part).pop("transformers_weights", None)


def _device_map(placement: Placement) -> Any:
    """The device map for transformers; None where a map would ask for accelerate without need."""
    if placement.spread:
        return placement.spread
    if placement.device.type == "cpu" or find_spec("accelerate") is None:
        return None
    return {"": placement.device}


def _check_finite(files: Files, model: Any) -> None:
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if not is_finite(tensor):
            raise ModelError(
                f"{files.source.name} has weights that are not finite (NaN or infinite): {name}",
                "the training diverged: take an earlier checkpoint"
                if model.dtype == torch.float32
                else "the training diverged, or the number format is too narrow: take an earlier checkpoint, "
                "or setting:dtype=float32",
            )


def _chat_template(files: Files, tokenizer: Any) -> str | None:
    stated = getattr(tokenizer, "chat_template", None)
    if stated is None:
        return processor_template(files)
    if not isinstance(stated, dict):
        # An empty one is a fault, and not none.
        return str(stated)
    if "default" in stated:
        return str(stated["default"])
    raise ModelError(
        f"{files.source.name} has chat templates {first_names(sorted(stated))}, and none is the default",
        'name one "default" in its tokenizer_config.json',
    )
