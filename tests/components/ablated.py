"""Ablation in the slowest way: a row by itself, without padding, through copies, hooks and caches of its own.

It shares nothing with the package but the names of the components.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from transformers.pytorch_utils import Conv1D

from lengthprobe.checkpoints.chat.thinking import Room
from lengthprobe.checkpoints.loading import Checkpoint
from lengthprobe.components.ablation import MeanOutputs, Surgery
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.names import Ablation, Component, find_components
from lengthprobe.generation.transformers_engine import Observer, _Batch
from tests.attribution.architectures import HEADS, LAYERS, VOCABULARY
from tests.attribution.brute_force import _PLACES

CAP = 4
NORMS_AFTER = ("gemma2", "gemma3_text", "olmo2")
_DOWN = {"gpt2": "mlp.c_proj", "gpt_neox": "mlp.dense_4h_to_h"}


def named(names: str) -> tuple[Component, ...]:
    """Components of the random models."""
    return find_components(names, n_layers=LAYERS, n_heads=HEADS, model="random")


def checkpoint_of(model: Any, ends: tuple[int, ...] = ()) -> Checkpoint:
    """A checkpoint around a random model."""
    return Checkpoint(
        files=SimpleNamespace(source=SimpleNamespace(name="random")),  # type: ignore[arg-type]
        model=model,
        tokenizer=None,
        end_token_ids=ends,
        pad_token_id=3,
        chat_template=None,
        device=torch.device("cpu"),
        dtype=model.dtype,
        attention="sdpa",
        context=None,
        overridden=(),
    )


def random_prompts(*lengths: int) -> list[list[int]]:
    """Prompts of random tokens, of some lengths."""
    generator = torch.Generator().manual_seed(7)
    return [torch.randint(4, VOCABULARY - 1, (one,), generator=generator).tolist() for one in lengths]


def random_means(model: Any) -> MeanOutputs:
    """Vectors for every component, of the size of outputs."""
    anatomy, generator = anatomy_of(model), torch.Generator().manual_seed(11)

    def drawn(width: int) -> tuple[Tensor, ...]:
        return tuple(torch.randn(width, generator=generator) for _ in range(LAYERS))

    return MeanOutputs(drawn(anatomy.n_heads * anatomy.head_dim), drawn(anatomy.width))


@dataclass
class Logits:
    """An observer that keeps the scores of every step, [n, V]."""

    steps: list[Tensor] = field(default_factory=list)

    @contextmanager
    def watching(self, n: int) -> Iterator[None]:  # noqa: ARG002  (the signature is Observer's)
        """Nothing is watched."""
        yield

    def step(self, written: Any, scores: Tensor) -> None:  # noqa: ARG002  (the signature is Observer's)
        """Keep them."""
        self.steps.append(scores.clone())

    def finish(self, rows: Sequence[Sequence[int]]) -> list[Any]:
        """Nothing of each row."""
        return [None] * len(rows)


def generated(
    model: Any,
    prompts: list[list[int]],
    ablations: Sequence[Ablation],
    means: MeanOutputs | None = None,
    donors: Sequence[Sequence[int]] = (),
) -> tuple[list[list[int]], Tensor]:
    """The tokens that lengthprobe has an ablated model write, and the logits of their steps, [n, T, V]."""
    logits = Logits()
    surgery = Surgery(anatomy_of(model), tuple(ablations), means, tuple(map(tuple, donors)))
    written, _ = generate(checkpoint_of(model), prompts, Room(CAP), logits, surgery)
    return written, torch.stack(logits.steps, 1)


@torch.no_grad()
def logits_after(model: Any, prompt: list[int], written: list[int]) -> Tensor:
    """The logits of each step of a row, from one pass over all of it, [T, V]."""
    logits: Tensor = model(torch.tensor([[*prompt, *written]]), use_cache=False).logits[0]
    return logits[len(prompt) - 1 : -1]


def generate(
    checkpoint: Checkpoint,
    rows: Sequence[Sequence[int]],
    room: Room,
    observer: Observer | None,
    surgery: Surgery | None,
) -> tuple[list[list[int]], list[Any]]:
    """All tokens that are written after each row in one batch, and what the observer made of them."""
    batch = _Batch(checkpoint, rows, room, (lambda: observer) if observer else None, surgery)
    (made,) = batch.generate(range(len(rows)))
    return made


def edited(model: Any, components: Sequence[Component]) -> Any:
    """A copy of a model whose weights give nothing for some components."""
    model = copy.deepcopy(model)
    layers, projection, *_ = _PLACES[model.config.model_type]
    for one in components:
        layer = model.get_submodule(layers)[one.layer]
        if one.head is not None:
            part = layer.get_submodule(projection)
            weight = part.weight.T if isinstance(part, Conv1D) else part.weight
            size = weight.shape[1] // HEADS
            weight[:, one.head * size : (one.head + 1) * size] = 0.0
        elif model.config.model_type in NORMS_AFTER:
            norm = layer.post_feedforward_layernorm
            # Gemma's gain is 1 more than its weight.
            norm.weight.fill_(-1.0 if "Gemma" in type(norm).__name__ else 0.0)
        else:
            down = layer.get_submodule(_DOWN.get(model.config.model_type, "mlp.down_proj"))
            down.weight.zero_()
            if getattr(down, "bias", None) is not None:
                down.bias.zero_()
    return model


Outputs = dict[Component, Tensor]
"""What components put out at each position of a row: [S, head_dim] of a head, [S, d] of an MLP."""


@contextmanager
def _hooked(model: Any, change: Callable[[Component, Tensor], Tensor]) -> Iterator[None]:
    """Hand each component's output, [S, x], to a function, and put what it gives in its place."""
    layers, projection, mlp, _, after_mlp, _ = _PLACES[model.config.model_type]

    def heads(number: int) -> Any:
        def hook(_module: object, args: Any) -> Any:
            parts = args[0][0].chunk(HEADS, -1)
            changed = [change(Component(number, head), part) for head, part in enumerate(parts)]
            return (torch.cat(changed, -1)[None],)

        return hook

    handles = []
    for number, layer in enumerate(model.get_submodule(layers)):
        handles.append(layer.get_submodule(projection).register_forward_pre_hook(heads(number)))
        handles.append(
            layer.get_submodule(after_mlp or mlp).register_forward_hook(
                lambda _module, _args, output, number=number: change(Component(number), output[0])[None]
            )
        )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def outputs_of(model: Any, prompt: list[int], written: list[int]) -> Outputs:
    """What every component puts out over a row."""
    found: Outputs = {}

    def keep(component: Component, output: Tensor) -> Tensor:
        found[component] = output.clone()
        return output

    with _hooked(model, keep):
        logits_after(model, prompt, written)
    return found


def patched(
    model: Any,
    prompt: list[int],
    written: list[int],
    ablation: Ablation,
    means: MeanOutputs | None = None,
    donor: list[int] | None = None,
) -> Tensor:
    """The logits of each step of a row under an ablation, [T, V].

    The donor's prompt with the same text is run first; positions are counted from the text, and one before
    the donor's first keeps its own output.
    """
    given = outputs_of(model, donor, written) if donor else {}

    def change(component: Component, output: Tensor) -> Tensor:
        if component in ablation.zero:
            return torch.zeros_like(output)
        if component in ablation.mean:
            assert means is not None
            layer, head = component.layer, component.head
            vector = means.mlps[layer] if head is None else means.heads[layer].chunk(HEADS)[head]
            return vector.to(output).expand_as(output)
        if component in ablation.resample:
            there = min(len(output), len(given[component]))
            return torch.cat([output[: len(output) - there], given[component][-there:]])
        return output

    with _hooked(model, change):
        return logits_after(model, prompt, written)


def distance(actual: Tensor, expected: Tensor) -> float:
    """The largest difference, in shares of the largest expected value."""
    return float((actual - expected).abs().max() / expected.abs().max())
