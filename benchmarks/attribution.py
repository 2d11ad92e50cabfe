"""Print what attribution costs, in time and in memory, against a plain forward pass and other tools.

    python benchmarks/attribution.py [--shape 210m] [--batch 8 32] [--dtype float32 bfloat16]
        [--parts rows cache generation tools] [--pairs 15] [--threads 1] [--device cpu] [--memory only|no]

The model is a Llama of random weights; rows are a prompt of 40 random tokens and a response of 24, and every
generation runs to 24. Each way takes turns with what it is compared with. Two ratios are printed: of the two
fastest runs, and the median over the pairs with its quartiles and 95 % limits. `--shape 8b --device cuda` is
Llama 3.1 8B's exact shape.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Before torch is imported: its profiler, which counts the memory, says when it starts.
os.environ.setdefault("KINETO_LOG_LEVEL", "99")

import torch
import transformers
from random_llama import SHAPES, Rows, checkpoint_of, options, random_llama, random_rows
from transformers import GenerationConfig
from turns import Stopwatch, clock, compare, compare_within, peak_of
from writing import write_tokens

from lengthprobe.attribution import direct_logit_attribution
from lengthprobe.attribution.capture import Capture
from lengthprobe.attribution.readout import readout_of
from lengthprobe.checkpoints.forward import cache_keyword
from lengthprobe.checkpoints.loading import Checkpoint
from lengthprobe.components.anatomy import anatomy_of

PROMPT, RESPONSE = 40, 24
PARTS = ("rows", "cache", "generation", "tools")
PLAIN = "plain forward"
ALONE = "generation"
# Beyond noise: no slower.
EQUAL = 1.01


@dataclass(frozen=True, slots=True)
class Way:
    """Something to be measured.

    Args:
        run: Does it once.
        against: What its time is compared with; None for what is only compared with.
        goal: The ratio of times that is wanted, None where there is no goal.
        lean: Whether it shall take no more memory than the plain forward.
        within: Does it once and has the methods watched that it has more than what it is compared with; in
            place of turns.
    """

    run: Callable[[], Any]
    against: str | None = None
    goal: float | None = None
    lean: bool = False
    within: Callable[[Stopwatch], Any] | None = None


def main() -> None:
    """Measure, and print a table of times and one of memory for each batch and dtype."""
    parser = options(__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    told = parser.parse_args()
    device = torch.device(told.device)
    torch.set_num_threads(told.threads)
    transformers.logging.set_verbosity_error()
    read, now = clock(device, told.threads)
    print(
        f"{told.shape}: {SHAPES[told.shape]}\nprompt {PROMPT}, response {RESPONSE}; {_described(device)}, "
        f"torch {torch.__version__}, {told.threads} thread(s); {read}; {told.pairs} pairs"
    )
    for dtype in told.dtype:
        model = random_llama(told.shape, getattr(torch, dtype), device)
        for batch in told.batch:
            rows = random_rows(model, batch, PROMPT, RESPONSE)
            ways = ways_to_measure(model, rows, told.parts)
            print(f"\n{dtype}, batch {batch}")
            if told.memory != "only":
                print_times(ways, told.pairs, now)
            if told.memory != "no":
                print_memory(ways, device)


def print_times(ways: dict[str, Way], pairs: int, now: Callable[[], float]) -> None:
    """A line for each way, as soon as it is measured."""
    _print_line("", "seconds", "fastest", "median", "quartiles", "95 % limits", "", "goal")
    for name, way in ways.items():
        if way.against is None:
            continue
        found = (
            compare_within(way.within, pairs, now)
            if way.within
            else compare(way.run, ways[way.against].run, pairs, now)
        )
        _print_line(
            name,
            f"{found.seconds:.3f}",
            f"{found.fastest:.3f}",
            f"{found.median:.3f}",
            "{:.3f} to {:.3f}".format(*found.quartiles),
            "{:.3f} to {:.3f}".format(*found.limits) if found.limits else "",
            f"× {way.against}",
            "" if way.goal is None else f"≤ {way.goal:.2f}: {found.verdict(way.goal)}",
        )


def print_memory(ways: dict[str, Way], device: torch.device) -> None:
    """A line for each way: what it takes beside the model."""
    _print_line("", "MiB", "", "ratio", "", "", "", "goal")
    peaks: dict[str, int] = {}
    for name, way in ways.items():
        if way.within:
            continue
        peaks[name] = peak_of(way.run, device)
        ratio = peaks[name] / peaks[PLAIN]
        goal = f"≤ 1: {'reached' if ratio <= 1 else 'missed'}" if way.lean else ""
        _print_line(name, f"{peaks[name] / 2**20:.1f}", "", f"{ratio:.2f}", "", "", f"× {PLAIN}", goal)


def _print_line(name: str, *cells: str) -> None:
    amount, fastest, ratio, quartiles, limits, of, goal = cells
    line = f"{name:38}{amount:>8} {fastest:>8} {ratio:>6}  {quartiles:16}{limits:16}{of:25}{goal}"
    print(line.rstrip(), flush=True)


def ways_to_measure(model: Any, rows: Rows, parts: tuple[str, ...]) -> dict[str, Way]:
    """Every way of some parts by its name, what it is compared with before it."""

    @torch.inference_mode()
    def plain(**keep: int) -> Any:
        return model(input_ids=rows.ids, attention_mask=rows.mask, use_cache=False, **keep).logits

    ways = {PLAIN: Way(plain)}
    if "rows" in parts:
        ways |= {
            "its response's logits only": Way(lambda: plain(logits_to_keep=RESPONSE + 1), PLAIN),
            "whole rows, token": Way(_attributing(model, rows, "token"), PLAIN, 0.95, lean=True),
            "whole rows, stop margin": Way(_attributing(model, rows, "stop_margin"), PLAIN, 0.95, lean=True),
        }
    if "cache" in parts:
        past = _prompt_cache(model, rows)
        ways |= {
            "prompt's cache, token": Way(_attributing(model, rows, "token", past), PLAIN, 0.40, lean=True),
            "prompt's cache, stop margin": Way(
                _attributing(model, rows, "stop_margin", past), PLAIN, 0.40, lean=True
            ),
        }
    if "generation" in parts:
        ways |= _generating(model, rows)
    if "tools" in parts:
        ways |= _by_others(model, rows)
    return ways


def _attributing(model: Any, rows: Rows, target: str, past: Any = None) -> Callable[[], Any]:
    # The first two tokens of the vocabulary end a response.
    return lambda: direct_logit_attribution(
        model,
        rows.ids,
        rows.mask,
        rows.start,
        target=target,
        end_token_ids=[0, 1],
        past_key_values=past,
    )


@torch.inference_mode()
def _prompt_cache(model: Any, rows: Rows) -> Any:
    columns = slice(0, rows.start)
    output = model(
        input_ids=rows.ids[:, columns], attention_mask=rows.mask[:, columns], use_cache=True, logits_to_keep=1
    )
    return output[cache_keyword(model)]


def _generating(model: Any, rows: Rows) -> dict[str, Way]:
    written = _written(checkpoint_of(model, ()), rows)
    tokens = {token for row in written for token in row}
    # Greedy text does not change: tokens that it does not hold end no response.
    ends = tuple(token for token in range(len(tokens) + 2) if token not in tokens)[:2]
    checkpoint = checkpoint_of(model, ends)
    assert _written(checkpoint, rows) == written
    print(f"generated: {sum(map(len, written))} tokens, {len(tokens)} of them different")
    readout = readout_of(anatomy_of(model))
    config = GenerationConfig(
        do_sample=False, max_new_tokens=RESPONSE, eos_token_id=list(ends), pad_token_id=ends[0]
    )

    def captured(stopwatch: Stopwatch | None = None) -> Any:
        capture = Capture("random", readout, ends)
        if stopwatch:
            stopwatch.watch(capture._kept, "embedding", "attention", "mlp", "final")
            stopwatch.watch(capture, "step", "finish")
        return write_tokens(checkpoint, rows.prompts, RESPONSE, capture)

    @torch.inference_mode()
    def transformers_own() -> Any:
        columns = slice(0, rows.start)
        return model.generate(
            rows.ids[:, columns], attention_mask=rows.mask[:, columns], generation_config=config
        )

    return {
        "transformers' generate": Way(transformers_own),
        ALONE: Way(lambda: _written(checkpoint, rows), "transformers' generate", EQUAL),
        "generation with capture": Way(captured, ALONE, 1.05, lean=True),
    } | (
        # A device works on while the hooks return.
        {"  by the time within the capture": Way(captured, ALONE, 1.05, within=captured)}
        if rows.ids.device.type == "cpu"
        else {}
    )


def _written(checkpoint: Checkpoint, rows: Rows) -> list[list[int]]:
    return write_tokens(checkpoint, rows.prompts, RESPONSE)[0]


def _by_others(model: Any, rows: Rows) -> dict[str, Way]:
    # Only here, since neither is needed for anything else.
    import other_tools

    bridge = other_tools.bridge_of(model)
    by_lens = other_tools.transformer_lens(bridge, rows)
    by_nnsight = other_tools.nnsight(model, rows)
    ours = _attributing(model, rows, "token")().heads
    for name, found in (("TransformerLens", by_lens()), ("nnsight", by_nnsight())):
        gap = (found.float() - ours).abs().max() / ours.abs().max()
        print(f"{name}'s heads differ from ours by {gap:.1e} of the largest")
    return {
        "TransformerLens, run_with_cache alone": Way(other_tools.transformer_lens_cache(bridge, rows), PLAIN),
        "TransformerLens, heads": Way(by_lens, PLAIN),
        "nnsight, heads": Way(by_nnsight, PLAIN),
    }


def _described(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device} ({torch.backends.cpu.get_cpu_capability()})"


if __name__ == "__main__":
    main()
