"""Captured while generating: the same tokens as without, and the same numbers as the whole-row function."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import LogitsProcessor, LogitsProcessorList

from lengthprobe.attribution import capture, direct_logit_attribution
from lengthprobe.attribution.capture import Capture
from lengthprobe.attribution.readout import readout_of
from lengthprobe.components.anatomy import anatomy_of
from tests.attribution.agreement import ARRAYS, distance
from tests.attribution.architectures import HEADS, LAYERS, VARIANTS, VOCABULARY, random_model

# A dozen tokens of 97, so that some rows end soon and some at the cap.
ENDS = tuple(range(10, 22))
PAD = 3
START, CAP = 8, 14


def _prompts(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompts of various lengths, padded on the left."""
    ids = torch.randint(30, VOCABULARY, (count, START), generator=torch.Generator().manual_seed(5))
    mask = torch.ones_like(ids)
    for row in range(count):
        mask[row, : row % 4] = 0
    return ids, mask


class _Tell(LogitsProcessor):
    def __init__(self, watcher: Capture) -> None:
        self.watcher = watcher

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        self.watcher.step(input_ids[:, START:], scores)
        return scores


def _generate(model: Any, ids: torch.Tensor, mask: torch.Tensor, *tell: _Tell) -> list[list[int]]:
    with torch.inference_mode():
        written = model.generate(
            ids,
            attention_mask=mask,
            max_new_tokens=CAP,
            do_sample=False,
            eos_token_id=list(ENDS),
            pad_token_id=PAD,
            logits_processor=LogitsProcessorList(tell),
        )
    return written[:, START:].tolist()


def _captured(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> tuple[Any, list[list[int]], Capture]:
    watcher = Capture("random", readout_of(anatomy_of(model)), ENDS)
    with watcher.watching(len(ids)):
        written = _generate(model, ids, mask, _Tell(watcher))
    return watcher.finish(written), written, watcher


def _steps(row: list[int]) -> int:
    """Up to and with the first end token."""
    return next((at + 1 for at, token in enumerate(row) if token in ENDS), len(row))


def _whole_rows(ids: torch.Tensor, mask: torch.Tensor, written: list[list[int]]) -> tuple[Any, Any, int]:
    steps = torch.tensor([_steps(row) for row in written])
    seen = (torch.arange(len(written[0])) < steps[:, None]).long()
    return torch.cat([ids, torch.tensor(written)], 1), torch.cat([mask, seen], 1), START


def _padded(traces: Any, target: str, mask: torch.Tensor) -> Any:
    """Traces as one attribution of n rows."""
    arrays = {}
    for name in ARRAYS:
        rows = [torch.from_numpy(getattr(getattr(trace, target), name)) for trace in traces]
        arrays[name] = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        missing = mask.shape[1] - arrays[name].shape[1]
        arrays[name] = torch.cat(
            [arrays[name], arrays[name].new_zeros(len(rows), missing, *rows[0].shape[1:])], 1
        )
    return SimpleNamespace(mask=mask, **arrays)


@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_whole_rows(variant: str) -> None:
    """Both targets of every step equal those of the finished rows run again, relative 1e-4 in float32."""
    model = random_model(variant)
    traces, written, _ = _captured(model, *_prompts())
    lengths = [_steps(row) for row in written]
    rows = _whole_rows(*_prompts(), written)
    assert len(set(lengths)) > 1, "some rows end before others"
    for target, trace in (("token", "token"), ("stop_margin", "stop")):
        expected = direct_logit_attribution(model, *rows, target=target, end_token_ids=ENDS)
        assert distance(_padded(traces, trace, expected.mask), expected) < 1e-4


@pytest.mark.parametrize("variant", VARIANTS)
def test_writes_the_same(variant: str) -> None:
    """Capturing changes no token."""
    model = random_model(variant)
    assert _captured(model, *_prompts())[1] == _generate(model, *_prompts())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("variant", VARIANTS)
def test_is_complete(variant: str, dtype: torch.dtype) -> None:
    """At every step the components add up to the logit that chose the token, in either format."""
    traces, _, watcher = _captured(random_model(variant, dtype=dtype), *_prompts())
    assert watcher.problem is None
    assert watcher.gap < {torch.float32: 1e-5, torch.bfloat16: 0.1}[dtype]
    for trace in traces:
        for part in (trace.token, trace.stop):
            assert part.heads.shape == (len(part.logits), LAYERS, HEADS)
            assert part.heads.dtype == "float32"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("variant", VARIANTS)
def test_is_of_the_pass_that_wrote(variant: str, dtype: torch.dtype) -> None:
    """The stop margin is above 0 exactly where an end token was written, in either format."""
    traces, written, _ = _captured(random_model(variant, dtype=dtype), *_prompts())
    # A margin of less than a bfloat16's rounding of the logits is a tie.
    tie = {torch.float32: 1e-5, torch.bfloat16: 0.1}[dtype]
    for trace, row in zip(traces, written, strict=True):
        for margin, token in zip(trace.stop.logits, row, strict=False):
            assert abs(margin) < tie or (margin > 0) == (token in ENDS)


def test_last_step_is_the_end_token() -> None:
    """A response that ends has one step more than it has tokens; one that is cut off has as many."""
    model = random_model("llama")
    traces, written, _ = _captured(model, *_prompts(12))
    assert [len(trace.token.logits) for trace in traces] == [_steps(row) for row in written]
    assert {row[_steps(row) - 1] in ENDS for row in written} == {True, False}


@pytest.mark.parametrize("block", [1, 7, 20, 10_000])
def test_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """In how many blocks the steps are reduced changes nothing."""
    model = random_model("gemma2-biases")
    expected = _captured(model, *_prompts())[0]
    monkeypatch.setattr(capture, "_BLOCK", block)
    actual = _captured(model, *_prompts())[0]
    for one, other in zip(actual, expected, strict=True):
        for name in ARRAYS:
            for target in ("token", "stop"):
                found, wanted = (getattr(getattr(trace, target), name) for trace in (one, other))
                assert found == pytest.approx(wanted, rel=1e-4, abs=1e-5), (target, name)
