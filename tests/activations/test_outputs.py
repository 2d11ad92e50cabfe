"""Mean sizes and mean outputs of components equal those of a loop over rows, positions and heads."""

from __future__ import annotations

import copy
import threading
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lengthprobe import load
from lengthprobe.activations.component_outputs import ComponentOutputs
from lengthprobe.activations.outputs import OutputSums, outputs_of
from lengthprobe.checkpoints.chat.template import render
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.errors import ModelError
from lengthprobe.probe import Probe
from lengthprobe.task.prompts import Response
from tests.attribution.architectures import HEADS, LAYERS, VARIANTS, WIDTH, random_model, random_rows
from tests.attribution.brute_force import _PLACES, _epsilon, _gain, _rms, _run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def _by_hand(model: Any, rows: Sequence[tuple[torch.Tensor, Sequence[int]]]) -> ComponentOutputs:
    """In float64, from rows run alone and without padding, each with the positions that count."""
    layers, projection, _, after_attention, *_ = _PLACES[model.config.model_type]
    n = sum(len(places) for _, places in rows)
    width = HEADS * anatomy_of(model).head_dim
    sizes, mlp_sizes = torch.zeros(LAYERS, HEADS).double(), torch.zeros(LAYERS).double()
    heads, mlps = torch.zeros(LAYERS, width).double(), torch.zeros(LAYERS, WIDTH).double()
    for tokens, places in rows:
        seen = _run(model, tokens)
        for number, layer in enumerate(model.get_submodule(layers)):
            project = copy.deepcopy(layer.get_submodule(projection)).double()
            for at in places:
                z, mlp = seen["z", number][at].double(), seen["mlp", number][at].double()
                heads[number] += z / n
                mlps[number] += mlp / n
                mlp_sizes[number] += mlp.pow(2).sum().sqrt() / n
                scale = torch.ones(WIDTH).double()
                if after_attention is not None:
                    norm = layer.get_submodule(after_attention)
                    scale = _gain(norm) / _rms(seen["attention", number][at], _epsilon(norm))
                for head, part in enumerate(z.split(width // HEADS)):
                    alone = torch.zeros_like(z)
                    alone[head * len(part) : (head + 1) * len(part)] = part
                    added = scale * (project(alone) - project(torch.zeros_like(z)))
                    sizes[number, head] += added.pow(2).sum().sqrt() / n
    return ComponentOutputs(*(values.numpy() for values in (sizes, mlp_sizes, heads, mlps)))


def _assert_equal(actual: ComponentOutputs, expected: ComponentOutputs, tolerance: float) -> None:
    for field in fields(ComponentOutputs):
        one, other = (getattr(outputs, field.name).astype(float) for outputs in (actual, expected))
        assert one.shape == other.shape
        assert abs(one - other).max() < tolerance * abs(other).max()


def _read(model: Any, batches: Sequence[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]) -> ComponentOutputs:
    sums = OutputSums(anatomy_of(model))
    for ids, mask, places in batches:
        sums.read(ids, mask, places)
    return sums.outputs()


def _rows() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows whose padding is on the left, [4, 12], and positions that count, never padding."""
    ids, mask, start = random_rows()
    mask = mask.clone()
    mask[:, start:] = 1
    places = mask.bool().clone()
    places[:, : start - 1] = False
    places[0, 9] = places[2, 7:] = False
    return ids, mask, places


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-10)], ids=str)
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_a_loop(variant: str, dtype: torch.dtype, tolerance: float) -> None:
    """Sizes are those of what each component adds to the stream, after any norm; means are of its output."""
    model = random_model(variant, dtype=dtype)
    ids, mask, places = _rows()
    alone = [
        (ids[row, mask[row].bool()], [at - int((1 - mask[row]).sum()) for at in places[row].nonzero()[:, 0]])
        for row in range(len(ids))
    ]
    _assert_equal(_read(model, [_rows()]), _by_hand(model, alone), tolerance)


@pytest.mark.parametrize("variant", ["llama-biases", "gemma2", "gpt2"])
def test_batches_add_up(variant: str) -> None:
    """In how many batches rows are read changes nothing."""
    model, rows = random_model(variant), _rows()
    expected = _read(model, [rows])
    for sizes in ([1, 1, 1, 1], [3, 1], [2, 2]):
        batches = zip(*(one.split(sizes) for one in rows), strict=True)
        _assert_equal(_read(model, list(batches)), expected, 1e-5)


def test_padding_does_not_count() -> None:
    """Neither the tokens in padded places nor their number change anything."""
    model, (ids, mask, places) = random_model("gemma2-biases"), _rows()
    expected = _read(model, [(ids, mask, places)])
    more = torch.nn.functional.pad
    wide = more(ids, (5, 0), value=50), more(mask, (5, 0)), more(places, (5, 0))
    _assert_equal(_read(model, [wide]), expected, 1e-5)


def test_nothing_stays_in_the_model() -> None:
    """After a reading, and after one that failed, no hook is left."""
    model = random_model("llama")

    def hooks() -> int:
        return sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in model.modules())

    _read(model, [_rows()])
    ids, mask, places = _rows()
    with pytest.raises(IndexError):
        _read(model, [(ids + 1000, mask, places)])
    assert hooks() == 0


def test_no_positions() -> None:
    """There is no mean over nothing."""
    with pytest.raises(ValueError, match="no mean over no positions"):
        OutputSums(anatomy_of(random_model("llama"))).outputs()


def test_bytes() -> None:
    """As bytes and back the numbers are the same bits."""
    made = _read(random_model("gemma2"), [_rows()])
    read = ComponentOutputs.from_bytes(made.to_bytes())
    for field in fields(ComponentOutputs):
        assert getattr(read, field.name).tobytes() == getattr(made, field.name).tobytes()
    for name in ("heads", "mlps"):
        for one, other in zip(getattr(read.means, name), getattr(made.means, name), strict=True):
            assert torch.equal(one, other)


@pytest.fixture
def answered(checkpoints: Callable[..., Path]) -> tuple[Probe, list[Response]]:
    """A probe of the random Llama, and responses of it, some of which were cut off."""
    probe = load(str(checkpoints("llama")), device_map="cpu", budget=10, cap=12, batch_size=4)
    responses = [*probe.responses("en"), *probe.responses("it")]
    assert {one.finish_reason for one in responses} == {"stop", "length"}
    assert len({len(render(probe.checkpoint, one.prompt, probe.settings)) for one in responses}) > 3
    return probe, responses


def test_where_responses_are_written(answered: tuple[Probe, list[Response]]) -> None:
    """What counts is every position that a token of the response, or its end token, was written after."""
    probe, responses = answered
    rows = []
    for one in responses:
        prompt = render(probe.checkpoint, one.prompt, probe.settings)
        steps = len(one.token_ids) + (one.finish_reason == "stop")
        rows.append(
            (torch.tensor([*prompt, *one.token_ids]), range(len(prompt) - 1, len(prompt) - 1 + steps))
        )
    model = probe.checkpoint.model
    expected = _by_hand(model, rows)
    for size in (1, 3, 50):
        actual = outputs_of(probe.checkpoint, anatomy_of(model), responses, probe.settings, batch_size=size)
        _assert_equal(actual, expected, 1e-4)


def test_memory_is_out(answered: tuple[Probe, list[Response]]) -> None:
    """Rows that do not fit together are read in halves, and none of them twice, in whatever layer it was."""
    probe, responses = answered
    model = probe.checkpoint.model
    expected = outputs_of(probe.checkpoint, anatomy_of(model), responses, probe.settings, batch_size=8)
    most = 3

    def check(_module: object, args: tuple[torch.Tensor, ...]) -> None:
        if len(args[0]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")

    handle = model.model.layers[-1].register_forward_pre_hook(check)
    try:
        actual = outputs_of(probe.checkpoint, anatomy_of(model), responses, probe.settings, batch_size=8)
        _assert_equal(actual, expected, 1e-5)
        most = 0
        with pytest.raises(ModelError, match="runs out of memory on cpu with a single text of"):
            outputs_of(probe.checkpoint, anatomy_of(model), responses[:1], probe.settings, batch_size=8)
    finally:
        handle.remove()


def test_other_threads_are_not_read() -> None:
    """A pass of the same model in another thread goes on meanwhile, and is none of ours."""
    model, rows = random_model("llama"), _rows()
    alone = _read(model, [rows])

    def meanwhile(*_args: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            other = threading.Thread(target=lambda: model(rows[0][:1], attention_mask=rows[1][:1]))
            other.start()
            other.join()

    handle = model.model.layers[1].register_forward_pre_hook(meanwhile)
    try:
        found = _read(model, [rows])
    finally:
        handle.remove()
    _assert_equal(found, alone, 1e-6)
