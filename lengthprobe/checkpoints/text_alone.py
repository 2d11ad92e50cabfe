"""Text alone: checkpoints with vision, judged by their text model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.forward import decoder_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PretrainedConfig

# By model_type: in each the text model is a decoder of its own, which runs without any image.
SEEING = (
    *("gemma3", "mistral3"),
    *("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe"),
)


def sees(config: PretrainedConfig) -> bool:
    """Whether a config describes a model with vision, of a kind judged with text alone."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    if config.model_type not in SEEING or getattr(config, "vision_config", None) is None:
        return False
    names = config.architectures
    return not names or names[0] == MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES[config.model_type]


def auto_class(config: PretrainedConfig) -> Any:
    """The class of transformers for building and loading the model of a config.

    A model with vision is built whole, by the class of the saved model: the names of the weights are from
    this class.
    """
    import transformers

    return transformers.AutoModelForImageTextToText if sees(config) else transformers.AutoModelForCausalLM


def leave_out_unused(model: Any) -> tuple[str, ...]:
    """Remove the modules of a model that no text runs through, and give back their names.

    Their memory is free then. No measure reads these modules.

    Args:
        model: A model with vision, as loaded, with any adapter merged.
    """
    parts = (decoder_of(model), model.get_input_embeddings(), model.get_output_embeddings())
    used = {id(module) for part in parts for module in part.modules()}
    unused = list(_unused(model, used, ""))
    for parent, name, _ in unused:
        setattr(parent, name, None)
    return tuple(place for *_, place in unused)


def _unused(parent: Any, used: set[int], prefix: str) -> Iterator[tuple[Any, str, str]]:
    """The largest modules with nothing used in them: parent, name and dotted name."""
    for name, child in parent.named_children():
        if id(child) in used:
            continue
        if any(id(module) in used for module in child.modules()):
            yield from _unused(child, used, f"{prefix}{name}.")
        else:
            yield parent, name, prefix + name
