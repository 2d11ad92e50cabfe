"""The tensors of an adapter: read from the digested file, and all taken by the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lengthprobe.checkpoints.adapters.config import CONFIG
from lengthprobe.errors import ModelError, reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# Before the names that the base itself gives to its modules.
_PREFIX = "base_model.model."
# Where peft puts the weight of a module that it wraps.
_WRAPPED = ("", ".base_layer", ".original_module", ".modules_to_save", ".token_adapter.base_layer")


def stored_tensors(directory: Path, weights: Sequence[Path]) -> dict[str, torch.Tensor]:
    """The tensors of an adapter's file by name, all finite.

    Args:
        directory: The adapter.
        weights: Its weight files, as they were digested.

    Raises:
        ModelError: peft would read another file, the file cannot be read, or a number in the file is not
            finite.
    """
    from peft.utils import SAFETENSORS_WEIGHTS_NAME, WEIGHTS_NAME, load_peft_weights

    from lengthprobe.checkpoints.memory import is_out_of_memory

    # peft's own order of search, which knows no shards and no other names.
    read = next(
        (
            directory / name
            for name in (SAFETENSORS_WEIGHTS_NAME, WEIGHTS_NAME)
            if (directory / name).is_file()
        ),
        directory / SAFETENSORS_WEIGHTS_NAME,
    )
    if read not in weights:
        names = ", ".join(path.name for path in weights)
        raise ModelError(
            f"the adapter in {directory} has its weights in {names}, and peft reads {read.name} only",
            f"keep one file with its weights, {SAFETENSORS_WEIGHTS_NAME}, and move the others away "
            "(peft writes it with save_pretrained)",
        )
    try:
        stored: dict[str, torch.Tensor] = load_peft_weights(str(directory), device="cpu")
    # A pickle breaks in as many ways as there are classes in it.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(
            f"{read} cannot be read: {reason(error)}", f"copy or download {read.name} again"
        ) from error
    for name, tensor in stored.items():
        if tensor.is_floating_point() and tensor.itemsize > 1 and not torch.isfinite(tensor).all():
            raise ModelError(
                f"{read} has weights that are not finite (NaN or infinite): {name}",
                "the training diverged: take an earlier checkpoint of the adapter",
            )
    return stored


def fit_embeddings(model: Any, stored: Mapping[str, torch.Tensor], directory: Path) -> None:
    """Give the base as many rows of embeddings as its adapter was trained with.

    The embeddings in the adapter's file give the number of rows (peft saves embeddings after a resize), and
    not the adapter's tokenizer (peft #2415). The new rows get their values when the adapter is loaded.

    Raises:
        ModelError: The adapter has fewer rows than the base, or does not bring all the new rows.
    """
    ends = {"input": model.get_input_embeddings(), "output": model.get_output_embeddings()}
    names = {id(module): name for name, module in model.named_modules()}
    tied = ends["output"] is None or ends["output"].weight is ends["input"].weight
    own = ends["input"].weight.shape[0]
    rows: dict[str, int] = {}
    for end, module in ends.items():
        for inside in _WRAPPED:
            tensor = stored.get(f"{_PREFIX}{names.get(id(module))}{inside}.weight")
            if tensor is not None and tensor.dim() == 2:
                rows[end] = tensor.shape[0]
    if not rows or set(rows.values()) == {own}:
        return
    fix = (
        f"check base_model_name_or_path in {directory / CONFIG}; or save the adapter again with "
        "save_pretrained(…, save_embedding_layers=True)"
    )
    if min(rows.values()) < own:
        raise ModelError(
            f"the adapter in {directory} has embeddings of {min(rows.values())} rows, and its base has {own}",
            fix,
        )
    if len(set(rows.values())) > 1 or (len(rows) < 2 and not tied):
        said = ", ".join(f"{count} rows of the {end} embeddings" for end, count in rows.items())
        raise ModelError(
            f"the adapter in {directory} was trained with more tokens than the {own} of its base, and "
            f"does not bring all their rows: it has {said} only",
            fix,
        )
    model.resize_token_embeddings(max(rows.values()), mean_resizing=False)


def check_adapter_tensors(adapted: Any, stored: Mapping[str, torch.Tensor], directory: Path) -> None:
    """Check that the model took every tensor of an adapter from the file, with the file's values.

    Raises:
        ModelError: A tensor has no counterpart, or the model has another value.
    """
    import peft

    wanted = dict(peft.get_peft_model_state_dict(adapted, save_embedding_layers=False))
    # Weights of the base that lie beside the adapter, as embeddings do, are loaded into the base.
    beside = {_without_adapter(name): value for name, value in adapted.state_dict().items()}
    stray = sorted((wanted.keys() - stored.keys()) | (stored.keys() - wanted.keys() - beside.keys()))
    if stray:
        raise ModelError(
            f"the adapter in {directory} does not fit its base: {len(stray)} of its tensors "
            f"have no counterpart ({stray[0]})",
            f"check base_model_name_or_path and target_modules in {directory / CONFIG}",
        )
    for name in _differing(beside | wanted, stored):
        raise ModelError(
            f"the adapter in {directory} is not taken as it is: once loaded, {name} has other values than in "
            "the adapter's file",
            "keep one copy of these weights in the adapter: save it again with save_pretrained, by the peft "
            "that trained it",
        )


def _differing(taken: Mapping[str, torch.Tensor], stored: Mapping[str, torch.Tensor]) -> Iterator[str]:
    for name, tensor in stored.items():
        value = taken[name]
        # The model's own number format is what was asked for; peft rounds to it.
        if not value.is_meta and not torch.equal(tensor.to(value.device, value.dtype), value.detach()):
            yield name


def _without_adapter(name: str) -> str:
    return name.replace(".default.", ".").removesuffix(".default")
