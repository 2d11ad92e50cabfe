"""An adapter on its base, merged into the weights, and proven to answer as before the merging."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from lengthprobe.checkpoints.adapters.config import CONFIG, check_adapter_config
from lengthprobe.checkpoints.adapters.tensors import check_adapter_tensors, fit_embeddings, stored_tensors
from lengthprobe.checkpoints.memory import is_out_of_memory
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Lengths of the token rows on which the logits are compared.
_LENGTHS = (1, 9, 24)
# How far a logit may move, as a share of the largest: merging rounds every weight once more. Ours: a LoRA on
# every layer of a small random model moved one by 0.0025 (float16) and 0.016 (bfloat16), and real models are
# deeper. On average (root mean square), a quarter of it is allowed.
_MOST_APART = {torch.float32: 1e-3, torch.float16: 0.03, torch.bfloat16: 0.125}

# peft's warnings which say that part of an adapter is left out.
_LEFT_OUT = re.compile(
    r"no module was matched|no parameter was matched|did not match any targeted module"
    r"|not initialized from the model checkpoint"
)


def apply_adapter(model: Any, directory: Path, weights: Sequence[Path]) -> Any:
    """The model with an adapter merged into its weights.

    The merged model is an ordinary model: as fast as the base, and of the same architecture. The logits are
    equal to the logits of the unmerged adapter on the base, up to the rounding of the number format.

    Args:
        model: The base.
        directory: The adapter.
        weights: The adapter's weight files, as they were digested.

    Raises:
        ModelError: The adapter is broken, does not fit the model, cannot be merged, or answers otherwise
            after the merging.
    """
    config = check_adapter_config(directory)
    stored = stored_tensors(directory, weights)
    fix = f"check {directory / CONFIG}: base_model_name_or_path, and what the message names"
    with _blamed(directory, "does not fit its base", fix):
        adapted = _adapted(model, stored, directory)
        check_adapter_tensors(adapted, stored, directory)
    if not hasattr(adapted, "merge_and_unload") or not hasattr(adapted.base_model, "merge_and_unload"):
        raise ModelError(
            f"the adapter in {directory} is of kind {config['peft_type']}, which cannot be merged into the "
            "weights",
            "lengthprobe loads LoRA and other adapters that peft can merge",
        )
    del stored
    rows = _token_rows(adapted, config)
    with _blamed(directory, "does not run on its base", f"check the settings in {directory / CONFIG}"):
        before = _logits(adapted, rows)
    if not all(logits.isfinite().all() for logits in before):
        raise ModelError(
            f"the adapter in {directory} makes its base give logits that are not finite (NaN or infinite)",
            f"check its scale (lora_alpha and r in {directory / CONFIG}); or take an earlier checkpoint of "
            "the adapter, or setting:dtype=float32",
        )
    with _blamed(
        directory,
        f"cannot be merged into the weights ({_unusual(config)})",
        "train the adapter again without the setting that is named, or as a plain LoRA",
    ):
        _separate(adapted)
        with warnings.catch_warnings():
            # That merging rounds or unties: the comparison below judges both.
            warnings.simplefilter("ignore")
            merged = adapted.merge_and_unload()
        _note_untied(merged)
        after = _logits(merged, rows)
    _check_same(before, after, merged.dtype, directory, config)
    return merged


def _adapted(model: Any, stored: dict[str, torch.Tensor], directory: Path) -> Any:
    import peft

    fit_embeddings(model, stored, directory)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        adapted = peft.PeftModel.from_pretrained(model, directory, autocast_adapter_dtype=False)
    # The others tell of what is proven elsewhere: missing tensors when all are compared, tied weights and
    # merging by the logits, unknown settings by the check of the config. What concerns training is left out.
    for warning in caught:
        if _LEFT_OUT.search(str(warning.message)):
            raise ModelError(
                f"the adapter in {directory} is not taken whole: {warning.message}",
                f"check base_model_name_or_path in {directory / CONFIG}, and delete there what the training "
                "left out too",
            )
    return adapted.eval()


@contextmanager
def _blamed(directory: Path, problem: str, fix: str) -> Iterator[None]:
    """Turn an error of peft, or of torch within peft, into an error about the adapter."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        said = str(error) or type(error).__name__
        if isinstance(error, KeyError):
            said = f"there is no {said}"
        raise ModelError(f"the adapter in {directory} {problem}: {said}", fix) from error


def _token_rows(adapted: Any, config: dict[str, Any]) -> list[torch.Tensor]:
    """Rows of the model's tokens: drawn tokens, the last (added) tokens, and the tokens trained alone."""
    count = adapted.get_input_embeddings().weight.shape[0]
    own = config.get("trainable_token_indices") or []
    trained = [token for entry in (own.values() if isinstance(own, dict) else [own]) for token in entry]
    last = torch.tensor([*range(max(count - 8, 0), count), *trained[:32]]) % count
    limit = getattr(adapted.config.get_text_config(), "max_position_embeddings", None) or max(_LENGTHS)
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randint(count, (length,), generator=generator) for length in _LENGTHS]
    return [row[:limit] for row in (*rows, last)]


def _logits(model: Any, rows: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    device = model.get_input_embeddings().weight.device
    with torch.inference_mode():
        return [model(row[None].to(device)).logits[0].float().cpu() for row in rows]


def _separate(adapted: Any) -> None:
    """Give each adapted layer a weight of its own.

    Merging adds an adapter to the weight of its layer. Where another layer has the same weight (a tied
    unembedding, a replicated layer), the other layer would get the sum too (peft #2018, #2777).
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    changed = {
        id(module.get_base_layer()) for module in adapted.modules() if isinstance(module, BaseTunerLayer)
    }
    owners: dict[int, list[tuple[Any, str]]] = {}
    for module in adapted.modules():
        for name, parameter in module.named_parameters(recurse=False):
            owners.setdefault(id(parameter), []).append((module, name))
    for group in owners.values():
        adapting = [owner for owner in group if id(owner[0]) in changed]
        # One of them may keep the weight, if no other layer needs it as it was.
        for module, name in adapting if len(adapting) < len(group) else adapting[1:]:
            shared = getattr(module, name)
            setattr(module, name, torch.nn.Parameter(shared.detach().clone(), requires_grad=False))


def _note_untied(model: Any) -> None:
    """Let the config say so where the two ends of a model no longer have the same weight."""
    output = model.get_output_embeddings()
    if output is None or output.weight is model.get_input_embeddings().weight:
        return
    for config in (model.config, model.config.get_text_config()):
        if getattr(config, "tie_word_embeddings", False):
            config.tie_word_embeddings = False


def _check_same(
    before: Sequence[torch.Tensor],
    after: Sequence[torch.Tensor],
    dtype: torch.dtype,
    directory: Path,
    config: dict[str, Any],
) -> None:
    largest = max(float(logits.abs().max()) for logits in before)
    apart = torch.cat([(logits - other).flatten() for logits, other in zip(before, after, strict=True)])
    most, typical = float(apart.abs().max()), float(apart.square().mean().sqrt())
    allowed = _MOST_APART.get(dtype, 1e-3) * largest
    # Written so that NaN does not pass.
    if most <= allowed and typical <= allowed / 4:
        return
    name = str(dtype).removeprefix("torch.")
    wider = "" if dtype is torch.float32 else "setting:dtype=float32 (it rounds less), or "
    raise ModelError(
        f"the adapter in {directory} ({_unusual(config)}) answers otherwise once it is merged into the "
        f"weights: its logits move by up to {most:.3g}, where the largest is {largest:.3g} ({name})",
        f"{wider}an adapter trained without this combination of settings",
    )


def _unusual(config: dict[str, Any]) -> str:
    """The kind of an adapter, and the settings that may prevent the merging."""
    names = ("use_dora", "lora_bias", "bias", "layer_replication", "modules_to_save", "target_parameters")
    more = ("trainable_token_indices", "ensure_weight_tying", "use_qalora", "use_bdlora", "target_modules")
    settings = [
        f"{name}={config[name]!r}"
        for name in (*names, *more)
        if config.get(name) not in (None, False, "none", [])
    ]
    return ", ".join([str(config["peft_type"]), *settings])
