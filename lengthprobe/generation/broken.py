"""Broken models: whether logits can be read at all, and which component was the first to give NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from transformers import LogitsProcessor

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lengthprobe.checkpoints.loading import Checkpoint


@torch.inference_mode()
def first_broken_component(model: Any, rows: Sequence[Sequence[int]]) -> str | None:
    """The name of the first module with NaN or infinity in the output, or None.

    A module comes after its inner modules, so the innermost module is named.

    Args:
        model: A causal model of transformers.
        rows: Token ids; each row is run by itself and without padding, until a row breaks.
    """
    broken: list[str] = []

    def look(name: str) -> Callable[[object, object, object], None]:
        def hook(_module: object, _args: object, output: object) -> None:
            if not broken and not _finite(output):
                broken.append(name)

        return hook

    handles = [module.register_forward_hook(look(name)) for name, module in model.named_modules() if name]
    try:
        for row in rows:
            model(torch.tensor([list(row)], device=model.get_input_embeddings().weight.device))
            if broken:
                return broken[0]
    finally:
        for handle in handles:
            handle.remove()
    return None


def _finite(output: object) -> bool:
    if isinstance(output, (tuple, list)):
        return all(map(_finite, output))
    if isinstance(output, torch.Tensor) and output.is_floating_point():
        return bool(torch.isfinite(output).all())
    return True


class Guard(LogitsProcessor):
    """Looks at the scores of every step, changes nothing, and makes no device wait."""

    def __init__(self) -> None:
        self._broken: Any = None
        self._flat: Any = None

    def __call__(self, input_ids: Any, scores: Any) -> Any:  # noqa: ARG002  (the signature is transformers')
        """The scores as they are."""
        # Many times as fast as aminmax, which looks for the places too.
        low, high = scores.amin(-1), scores.amax(-1)
        # A token that is never to be written may score minus infinity: the best one tells.
        broken, flat = ~torch.isfinite(high).all(), (low == high).any()
        self._broken = broken if self._broken is None else self._broken | broken
        self._flat = flat if self._flat is None else self._flat | flat
        return scores

    def judge(self, checkpoint: Checkpoint, rows: Sequence[Sequence[int]], *, ablated: bool) -> None:
        """Refuse logits from which no answer can be read.

        Args:
            checkpoint: The checkpoint.
            rows: Prompts with the tokens written, to look for the first broken component.
            ablated: Whether components were ablated.

        Raises:
            ModelError: Logits were NaN or infinite, or the same for every token.
        """
        if self._broken is not None and bool(self._broken):
            component = first_broken_component(checkpoint.model, rows)
            raise ModelError(
                f"{checkpoint.name} gives logits that are NaN or infinite in {_name(checkpoint.dtype)}, "
                "though its weights are finite"
                + (", while components of it are ablated" if ablated else "")
                + (f": first in {component}" if component else ""),
                _other_format(checkpoint.dtype),
            )
        if self._flat is not None and bool(self._flat):
            raise ModelError(
                f"{checkpoint.name} gives every token the same logit",
                "save the checkpoint again: its unembedding (lm_head) or its final norm is empty",
            )


def _other_format(dtype: torch.dtype) -> str:
    """Advice for a model that breaks in a number format."""
    if dtype == torch.float16:
        return "float16 is too narrow for it: setting:dtype=bfloat16"
    broken = "take an earlier checkpoint, or restore the config.json and the weights from their source"
    if dtype == torch.float32:
        return f"no wider format is to be had, so that the checkpoint is broken: {broken}"
    return f"run it in a wider format: setting:dtype=float32; if that does not help, {broken}"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
