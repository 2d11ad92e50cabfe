"""Attention: equal to the patterns that transformers gives away, and the model is what it was."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, flash_attention_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from lengthprobe.activations.attention import attention_shares
from lengthprobe.components.names import Component
from lengthprobe.errors import ModelError
from tests.attribution.architectures import HEADS, LAYERS, VARIANTS, random_model

# Not in order, more than one of a layer, and two that share a key.
CHOSEN = tuple(Component(*place) for place in ((2, 3), (0, 1), (2, 2), (1, 0), (2, 0)))
PLACES = ([6, 11], [5, 8, 10], [11], [])


def rows() -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask, [4, 12], padded on the left by 0, 4, 1 and 2."""
    ids = torch.randint(4, 97, (4, 12), generator=torch.Generator().manual_seed(3))
    mask = torch.ones_like(ids)
    for row, padding in enumerate((0, 4, 1, 2)):
        mask[row, :padding] = 0
    return ids, mask


def targets() -> torch.Tensor:
    """Two sets of tokens in each row, [2, 4, 12]: one token, and two."""
    found = torch.zeros(2, 4, 12, dtype=torch.bool)
    found[0, :, 5] = True
    found[1, :, 4] = found[1, :, 7] = True
    return found


def patterns(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
    """Every layer's whole pattern, [n, H, S, S], as eager attention gives it."""
    own = model.config._attn_implementation
    model.set_attn_implementation("eager")
    places = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.no_grad():
        given = model(
            input_ids=ids, attention_mask=mask, position_ids=places, use_cache=False, output_attentions=True
        )
    model.set_attn_implementation(own)
    return list(given.attentions)


def outputs(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The model's logits."""
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=mask, use_cache=False).logits


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_shares_are_those_of_the_pattern(variant: str, implementation: str) -> None:
    """In every architecture: grouped keys, windows, caps on the scores, padding; however it was loaded."""
    model = random_model(variant)
    if implementation == "eager" or model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(implementation)
    ids, mask = rows()
    found = attention_shares(model, ids, mask, PLACES, CHOSEN, targets())
    whole = patterns(model, ids, mask)
    assert [one.shape for one in found] == [(2, 5, 2), (3, 5, 2), (1, 5, 2), (0, 5, 2)]
    told = set()
    for row, columns in enumerate(PLACES):
        for at, column in enumerate(columns):
            for place, head in enumerate(CHOSEN):
                pattern = whole[head.layer][row, head.head, column]
                expected = [float(pattern[5]), float(pattern[4] + pattern[7])]
                assert found[row][at, place].tolist() == pytest.approx(expected, abs=1e-5)
                told.add(round(expected[0], 3))
    # A test in which all shares were alike would say nothing.
    assert len(told) > 10


def test_whole_rows_without_padding() -> None:
    """Where the model is given no mask of places at all."""
    model, (ids, _) = random_model("llama"), rows()
    mask = torch.ones_like(ids)
    found = attention_shares(model, ids, mask, [[11]] * 4, CHOSEN, targets())
    whole = patterns(model, ids, mask)
    for row in range(4):
        assert float(found[row][0, 1, 0]) == pytest.approx(float(whole[0][row, 1, 11, 5]), abs=1e-5)


def test_all_tokens_have_the_whole() -> None:
    """The shares of all the tokens that are seen make 1; padding has none."""
    ids, mask = rows()
    every = torch.stack([mask.bool(), ~mask.bool()])
    for one in attention_shares(random_model("gemma2"), ids, mask, PLACES, CHOSEN, every):
        assert one[..., 0].flatten().tolist() == pytest.approx([1.0] * one[..., 0].numel(), abs=1e-5)
        assert not one[..., 1].any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_number_formats(dtype: torch.dtype) -> None:
    """The rows are made in float32 at least, and near those of the model in float32."""
    ids, mask = rows()
    exact = attention_shares(random_model("qwen3"), ids, mask, PLACES, CHOSEN, targets())
    found = attention_shares(random_model("qwen3", dtype=dtype), ids, mask, PLACES, CHOSEN, targets())
    for one, wanted in zip(found, exact, strict=True):
        assert one.dtype == torch.float32
        assert one.flatten().tolist() == pytest.approx(wanted.flatten().tolist(), abs=0.05)


@pytest.mark.parametrize("variant", ["llama", "gemma2", "gpt2"])
def test_model_is_what_it_was(variant: str) -> None:
    """Its outputs are the same bit by bit, while it is watched and afterwards; so is its config."""
    model, (ids, mask) = random_model(variant), rows()
    config, before = model.config.to_dict(), outputs(model, ids, mask)
    seen = []
    handle = model.get_decoder().register_forward_hook(
        lambda _module, _args, given: seen.append(given.last_hidden_state)
    )
    attention_shares(model, ids, mask, PLACES, CHOSEN, targets())
    places = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.no_grad():
        model.get_decoder()(input_ids=ids, attention_mask=mask, position_ids=places, use_cache=False)
    handle.remove()
    watched, unwatched = seen
    assert torch.equal(watched, unwatched)
    assert torch.equal(outputs(model, ids, mask), before)
    assert model.config.to_dict() == config
    assert "get_interface" not in vars(ALL_ATTENTION_FUNCTIONS)


def test_nothing_is_left_behind_after_an_error() -> None:
    """Whatever ends the pass."""
    model, (ids, mask) = random_model("llama"), rows()
    before = outputs(model, ids, mask)

    def fail(*_args: Any) -> None:
        raise RuntimeError("out of memory")

    handle = model.model.layers[1].register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        attention_shares(model, ids, mask, PLACES, CHOSEN, targets())
    handle.remove()
    assert "get_interface" not in vars(ALL_ATTENTION_FUNCTIONS)
    assert torch.equal(outputs(model, ids, mask), before)


def test_no_pattern_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 12 positions only the places asked for have a row of a softmax."""
    sizes = []
    softmax = torch.Tensor.softmax
    monkeypatch.setattr(
        torch.Tensor, "softmax", lambda one, dim: (sizes.append(tuple(one.shape)), softmax(one, dim))[1]
    )
    ids, mask = rows()
    attention_shares(random_model("llama"), ids, mask, PLACES, CHOSEN, targets())
    # Three heads of layer 2, one each of layers 0 and 1; 2, 3, 1 and no places.
    assert sorted(sizes) == sorted((heads, places, 12) for heads in (1, 1, 3) for places in (2, 3, 1, 0))


def test_attention_that_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer whose attention is not what its queries and keys make is an error, and no number."""

    def sink(module: Any, query: Any, key: Any, value: Any, mask: Any, **told: Any) -> Any:
        """Attention of which half goes nowhere."""
        return sdpa_attention_forward(module, query, key, 0.5 * value, mask, **told)

    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS._local_mapping, "sdpa", sink)
    ids, mask = rows()
    with pytest.raises(ModelError, match="made again from its queries and keys, is another"):
        attention_shares(random_model("llama"), ids, mask, PLACES, CHOSEN, targets())


@pytest.mark.parametrize("variant", ["llama", "mistral"])
@pytest.mark.parametrize("padded", [True, False])
def test_attention_that_makes_its_mask_itself(
    monkeypatch: pytest.MonkeyPatch, variant: str, padded: bool
) -> None:
    """As flash attention does, which is told of the padding, of the window, or of nothing."""
    masks = []

    def flash(module: Any, query: Any, key: Any, value: Any, mask: Any, **told: Any) -> Any:
        masks.append(mask)
        size, window = key.shape[2], told.get("sliding_window") or key.shape[2]
        back = torch.arange(size)[:, None] - torch.arange(size)
        seen = ((back >= 0) & (back < window))[None, None].repeat(len(query), 1, 1, 1)
        # Eager attention has no row that sees nothing, such as one of padding.
        seen = seen & mask[:, None, None].bool() | torch.eye(size).bool() if mask is not None else seen
        return sdpa_attention_forward(module, query, key, value, seen, **told)

    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS._local_mapping, "own_mask", flash)
    monkeypatch.setitem(ALL_MASK_ATTENTION_FUNCTIONS._global_mapping, "own_mask", flash_attention_mask)
    model, (ids, mask) = random_model(variant), rows()
    mask = mask if padded else torch.ones_like(mask)
    expected = attention_shares(model, ids, mask, PLACES, CHOSEN, targets())
    model.set_attn_implementation("own_mask")
    found = attention_shares(model, ids, mask, PLACES, CHOSEN, targets())
    assert {None if one is None else one.ndim for one in masks} == {2 if padded else None}
    for one, wanted in zip(found, expected, strict=True):
        assert one.flatten().tolist() == pytest.approx(wanted.flatten().tolist(), abs=1e-5)


def test_attention_that_cannot_be_watched() -> None:
    """A layer that asks nobody for its attention function is told by its number."""
    model, (ids, mask) = random_model("llama"), rows()
    attention = model.model.layers[1].self_attn
    attention.forward = lambda hidden_states, **_: (hidden_states, None)
    with pytest.raises(ModelError, match="attention of layer 1 by itself"):
        attention_shares(model, ids, mask, PLACES, CHOSEN, targets())


def test_an_mlp_attends_to_nothing() -> None:
    """Only heads can be asked."""
    ids, mask = rows()
    with pytest.raises(ValueError, match="MLP1 is no head"):
        attention_shares(random_model("llama"), ids, mask, PLACES, [Component(1)], targets())


def test_other_threads_are_not_watched() -> None:
    """A pass of the same model in another thread goes on meanwhile, and is none of ours."""
    model, (ids, mask) = random_model("llama"), rows()
    alone = attention_shares(model, ids, mask, PLACES, CHOSEN, targets())
    others = []

    def meanwhile(*_args: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            other = threading.Thread(target=lambda: others.append(outputs(model, ids[:1], mask[:1])))
            other.start()
            other.join()

    handle = model.model.layers[1].register_forward_pre_hook(meanwhile)
    found = attention_shares(model, ids, mask, PLACES, CHOSEN, targets())
    handle.remove()
    assert torch.equal(others[0], outputs(model, ids[:1], mask[:1]))
    assert all(torch.equal(one, wanted) for one, wanted in zip(found, alone, strict=True))


def test_every_head_can_be_asked() -> None:
    """All of them at once, in whatever order."""
    ids, mask = rows()
    every = [Component(layer, head) for layer in range(LAYERS) for head in range(HEADS)]
    model = random_model("llama")
    found = attention_shares(model, ids, mask, PLACES, every, targets())
    turned = attention_shares(model, ids, mask, PLACES, every[::-1], targets())
    assert found[0].shape == (2, LAYERS * HEADS, 2)
    assert all(torch.equal(one, other.flip(1)) for one, other in zip(found, turned, strict=True))
