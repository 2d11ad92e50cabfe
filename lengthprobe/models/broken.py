"""Which part of a model is the first to give NaN: asked when its logits turn out to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@torch.inference_mode()
def first_broken_part(model: Any, rows: Sequence[Sequence[int]]) -> str | None:
    """The name of the module whose output is the first to be NaN or infinite, None where none is.

    A module comes after those within it, so that the innermost one is named.

    Args:
        model: A causal model of transformers.
        rows: Token ids; each row is run by itself and without padding, until one breaks.
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
