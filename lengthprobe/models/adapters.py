"""PEFT adapters: a directory with adapter_config.json, loaded on the model that its config names."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ModelError
from lengthprobe.models.weights import read_json

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "adapter_config.json"


def is_adapter(directory: Path) -> bool:
    """Whether a directory holds an adapter and no whole model.

    Some trainers save the config of the base beside the adapter: without the base's weights, it is none.
    """
    if not (directory / CONFIG).is_file():
        return False
    if not (directory / "config.json").is_file():
        return True
    whole = ("model*.safetensors*", "pytorch_model*")
    return any(directory.glob("adapter_model*")) and not any(
        any(directory.glob(pattern)) for pattern in whole
    )


def base_name(directory: Path) -> str | None:
    """The name of the model that an adapter was trained on, or None where the directory holds no adapter.

    Raises:
        ModelError: The adapter's config names no model.
    """
    if not is_adapter(directory):
        return None
    config = read_json(directory / CONFIG)
    name = config.get("base_model_name_or_path")
    if not isinstance(name, str) or not name:
        raise ModelError(
            f"{directory / CONFIG} does not say which model the adapter belongs to",
            f"write base_model_name_or_path into {CONFIG}",
        )
    revision = config.get("revision")
    return f"{name}@{revision}" if revision and "@" not in name and not (directory / name).is_dir() else name


def require_peft(directory: Path) -> None:
    """Check that the library that loads adapters is installed.

    Raises:
        ModelError: It is not; the message has the command that installs it.
    """
    if find_spec("peft") is None:
        raise ModelError(
            f"{directory} is a PEFT adapter, and peft is not installed", "pip install 'lengthprobe[peft]'"
        )


def apply_adapter(model: Any, directory: Path) -> Any:
    """The model with an adapter merged into its weights.

    Merged, it is an ordinary model: as fast as its base, and of the same architecture.

    Raises:
        ModelError: The adapter does not fit the model, or is of a kind that cannot be merged.
    """
    import peft
    from peft.utils import load_peft_weights

    from lengthprobe.models.memory import is_out_of_memory

    kind = read_json(directory / CONFIG).get("peft_type")
    try:
        adapted = peft.PeftModel.from_pretrained(model, directory, autocast_adapter_dtype=False)
        expected = set(peft.get_peft_model_state_dict(adapted))
        stored = set(load_peft_weights(str(directory), device="cpu"))
    # peft and torch report a wrong shape, layer name or kind by several classes.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(
            f"the adapter in {directory} does not fit its base: {error}",
            f"check base_model_name_or_path in {directory / CONFIG}",
        ) from error
    if stray := sorted(expected ^ stored):
        raise ModelError(
            f"the adapter in {directory} does not fit its base: {len(stray)} of its tensors "
            f"have no counterpart ({stray[0]})",
            f"check base_model_name_or_path and target_modules in {directory / CONFIG}",
        )
    if not hasattr(adapted, "merge_and_unload") or not hasattr(adapted.base_model, "merge_and_unload"):
        raise ModelError(
            f"the adapter in {directory} is of kind {kind}, which cannot be merged into the weights",
            "lengthprobe loads LoRA and other adapters that peft can merge",
        )
    return adapted.merge_and_unload()
