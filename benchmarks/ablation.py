"""Print what ablation costs, in time and in memory, against plain generation.

    python benchmarks/ablation.py [--shape 210m] [--batch 8 32] [--dtype float32 bfloat16] [--pairs 15]
        [--threads 1] [--device cpu] [--memory only|no]

The model is a Llama of random weights, the prompts are 40 random tokens, and every generation runs to 24.
Each way takes turns with plain generation. Two ratios are printed: of the two fastest runs, and the median
over the pairs with its quartiles and 95 % limits. Resampling runs a donor beside each row, so about twice the
work is its nature, and no goal is set. `--shape 8b --device cuda` is Llama 3.1 8B's exact shape.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

# Before torch is imported: its profiler, which counts the memory, says when it starts.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

import torch
import transformers
from random_llama import SHAPES, Rows, checkpoint_of, options, random_llama, random_rows
from turns import clock, compare, peak_of
from writing import write_tokens

from lengthprobe.components.ablation import MeanOutputs, Surgery
from lengthprobe.components.anatomy import Anatomy, anatomy_of
from lengthprobe.components.layers import late_layers
from lengthprobe.components.names import MODES, Ablation, Component

PROMPT, RESPONSE = 40, 24
HEADS = 8
GOAL = 1.10
Way = Callable[[], list[list[int]]]


def main() -> None:
    """Measure, and print a table of times and memory for each batch and dtype."""
    told = options(__doc__).parse_args()
    device = torch.device(told.device)
    torch.set_num_threads(told.threads)
    transformers.logging.set_verbosity_error()
    read, now = clock(device, told.threads)
    on = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    print(
        f"{told.shape}: {SHAPES[told.shape]}\nprompt {PROMPT}, response {RESPONSE}; {on}, "
        f"torch {torch.__version__}, {told.threads} thread(s); {read}; {told.pairs} pairs"
    )
    for dtype in told.dtype:
        model = random_llama(told.shape, getattr(torch, dtype), device)
        for batch in told.batch:
            print(f"\n{dtype}, batch {batch}")
            plain, ways = ways_to_measure(model, random_rows(model, batch, PROMPT, RESPONSE))
            if told.memory != "only":
                print_times(plain, ways, told.pairs, now)
            if told.memory != "no":
                print_memory(plain, ways, device)


def print_times(plain: Way, ways: dict[str, Way], pairs: int, now: Callable[[], float]) -> None:
    """A line for each way, as soon as it is measured."""
    _print_line("× plain generation", "seconds", "fastest", "median", "quartiles", "95 % limits", "goal")
    for name, way in ways.items():
        found = compare(way, plain, pairs, now)
        _print_line(
            name,
            f"{found.seconds:.3f}",
            f"{found.fastest:.3f}",
            f"{found.median:.3f}",
            "{:.3f} to {:.3f}".format(*found.quartiles),
            "{:.3f} to {:.3f}".format(*found.limits) if found.limits else "",
            "" if name.startswith("resample") else f"≤ {GOAL:.2f}: {found.verdict(GOAL)}",
        )


def print_memory(plain: Way, ways: dict[str, Way], device: torch.device) -> None:
    """A line for each way: the tensors that it has alive at its peak beside the model."""
    _print_line("peak beside the model", "MiB", "", "ratio", "", "", "")
    base = peak_of(plain, device)
    for name, way in {"plain generation": plain, **ways}.items():
        peak = peak_of(way, device)
        _print_line(name, f"{peak / 2**20:.1f}", "", f"{peak / base:.2f}", "", "", "")


def _print_line(name: str, *cells: str) -> None:
    amount, fastest, ratio, quartiles, limits, goal = cells
    line = f"{name:42}{amount:>8} {fastest:>8} {ratio:>6}  {quartiles:16}{limits:16}{goal}"
    print(line.rstrip(), flush=True)


def ways_to_measure(model: Any, rows: Rows) -> tuple[Way, dict[str, Way]]:
    """Plain generation, and every way to ablate by its name."""
    anatomy, n = anatomy_of(model), len(rows.prompts)
    means = _means(anatomy)
    late = [Component(at, head) for at in late_layers(anatomy.n_layers) for head in range(anatomy.n_heads)]
    every = [*late, Component(anatomy.n_layers - 1)]
    # Over all layers, where every layer has its hook.
    heads = _all_heads(anatomy)
    few = heads[:: max(1, len(heads) // HEADS)][:HEADS]
    donors = tuple(tuple(prompt) for prompt in [*rows.prompts[1:], rows.prompts[0]])

    def ablated(ablations: list[Ablation], ends: tuple[int, ...]) -> list[list[int]]:
        resampled = any(one.resample for one in ablations)
        surgery = Surgery(anatomy, tuple(ablations), means, donors if resampled else ())
        return write_tokens(checkpoint_of(model, ends), rows.prompts, RESPONSE, None, surgery)[0]

    def plain(ends: tuple[int, ...]) -> list[list[int]]:
        return write_tokens(checkpoint_of(model, ends), rows.prompts, RESPONSE)[0]

    stated = {
        f"{mode}, {what}": [Ablation(**{mode: tuple(components)})] * n
        for mode in MODES
        for what, components in (
            (f"{len(few)} heads", few),
            (f"{len(late)} late heads and the last MLP", every),
        )
    }
    stated[f"zero, {len(few)} heads, others in each row"] = [
        Ablation(zero=tuple(heads[(at + row) % len(heads)] for at in range(0, len(few) * 3, 3)))
        for row in range(n)
    ]
    # Greedy text does not change: tokens that none holds end no response.
    whole = plain(())
    tokens = {token for row in whole for token in row}
    for name, ablations in stated.items():
        written = ablated(ablations, ())
        changed = sum(one != other for one, other in zip(written, whole, strict=True))
        print(f"{name}: {changed} of {n} responses are others")
        tokens |= {token for row in written for token in row}
    ends = tuple(token for token in range(len(tokens) + 2) if token not in tokens)[:2]
    return (lambda: plain(ends)), {
        name: lambda ablations=ablations: ablated(ablations, ends) for name, ablations in stated.items()
    }


def _all_heads(anatomy: Anatomy) -> list[Component]:
    return [Component(at, head) for at in range(anatomy.n_layers) for head in range(anatomy.n_heads)]


def _means(anatomy: Anatomy) -> MeanOutputs:
    """As a probe has them: float32, on the CPU."""
    generator = torch.Generator().manual_seed(2)

    def drawn(width: int) -> tuple[torch.Tensor, ...]:
        return tuple(torch.randn(width, generator=generator) * 0.1 for _ in range(anatomy.n_layers))

    return MeanOutputs(drawn(anatomy.n_heads * anatomy.head_dim), drawn(anatomy.width))


if __name__ == "__main__":
    main()
