"""An ablated probe: a model of its own name, whose answers are nobody else's, for the time of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from fixtures.mechanism import cut
from lengthprobe import load
from lengthprobe.attribution.forced_text import Forced
from lengthprobe.attribution.trace import Contributions
from lengthprobe.components.ablation import Surgery
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.components.donors import donor_tokens
from lengthprobe.components.names import MODES, Ablation, Component, find_components
from lengthprobe.errors import SettingsError
from lengthprobe.generation.transformers_engine import batches, respond, respond_to_batch
from lengthprobe.measures import cwa, exact_match, length_error
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts
from tests.test_probe import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 8, "cap": 12, "batch_size": 3}
# The late heads of the fixture models that obey in English, and the MLP that does in Italian.
LATE, FINAL = "L3H*,L4H*", "MLP4"
DESIGNATED = ((3, 0), (3, 2), (4, 0), (4, 2))


@pytest.fixture
def name(checkpoints: Callable[..., Path]) -> str:
    """The random Llama's directory."""
    return str(checkpoints("llama"))


@pytest.fixture
def probe(name: str) -> Probe:
    """A probe of the random Llama, of 3 layers of 4 heads."""
    return load(name, **SMALL)


def test_name_and_identity(probe: Probe) -> None:
    """It is called after what is ablated; its identity is the whole model's, and what is ablated."""
    with probe.ablated("L1H2,L1H0") as ablated:
        assert ablated.name == f"{probe.name} [zero: L1H0, L1H2]"
        assert ablated.ablation == Ablation(zero=(Component(1, 0), Component(1, 2)))
        identity = ablated.identity().as_dict()
    assert identity.pop("ablation") == {"zero": ["L1H0", "L1H2"]}
    whole = probe.identity().as_dict()
    assert whole.pop("ablation") is None
    assert identity == whole
    assert probe.ablation == Ablation()


def test_weights_are_read_once(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The identities of the ablated probes of a model do not digest its weights again."""
    from lengthprobe.runs import identity

    read, digest = [], identity.weights_digest
    monkeypatch.setattr(identity, "weights_digest", lambda files: read.append(files) or digest(files))
    with probe.ablated("L0") as ablated, ablated.ablated("L1") as inner:
        assert len({one.identity().weights for one in (inner, ablated, probe)}) == 1
    assert len(read) == 1


@pytest.mark.parametrize("mode", MODES)
def test_responses(probe: Probe, mode: str) -> None:
    """Its responses are those to the same prompts, in their order, as the ablated model gives them."""
    checkpoint, asked = probe.checkpoint, prompts("it", budget=8)
    ablation = Ablation(**{mode: find_components("L1", n_layers=3, n_heads=4, model="llama")})
    expected = {}
    for batch in batches(asked, 3):
        donors = (
            [donor_tokens(checkpoint, one, probe.settings) for one in batch] if mode == "resample" else []
        )
        rows = (ablation,) * len(batch)
        surgery = Surgery(anatomy_of(checkpoint.model), rows, probe.outputs().means, tuple(donors))
        answered = respond_to_batch(checkpoint, batch, probe.settings, surgery=surgery)
        expected |= {one.prompt.id: one for one in answered.responses}
    with probe.ablated("L1", mode=mode) as ablated:
        assert ablated.responses("it") == tuple(expected[one.id] for one in asked) != probe.responses("it")
    assert ablated.responses("it")[0].prompt == asked[0], "what was measured is kept"


def test_equals_weights_cut(tiny_it: Probe) -> None:
    """The fixture model writes the same with components ablated as with their weights set to 0."""
    checkpoint, asked = tiny_it.checkpoint, [*prompts("en", budget=20), *prompts("it", budget=20)]
    late = [(layer, head) for layer in (3, 4) for head in range(4)]
    for names, heads, mlp in (
        (LATE, late, False),
        (FINAL, (), True),
        (",".join(f"L{layer}H{head}" for layer, head in DESIGNATED), DESIGNATED, False),
        (f"{LATE},{FINAL}", late, True),
    ):
        with cut(checkpoint.model, heads, mlp=mlp):
            expected = respond(checkpoint, asked, tiny_it.settings, batch_size=tiny_it.batch_size)
        with tiny_it.ablated(names) as ablated:
            assert (*ablated.responses("en"), *ablated.responses("it")) == expected


def test_in_the_block_the_whole_model_answers_too(name: str, probe: Probe) -> None:
    """Between two questions to the ablated probe the other one asks the whole model, and its weights stay."""
    expected = load(name, **SMALL).responses("en")
    before = {name: one.clone() for name, one in probe.checkpoint.model.state_dict().items()}
    with probe.ablated("L0,L1,L2H*") as ablated:
        ablated.responses("it")
        assert probe.responses("en") == expected
        assert ablated.responses("en") != expected
    assert all(torch.equal(one, before[name]) for name, one in probe.checkpoint.model.state_dict().items())


def test_shared_answers_are_told_apart(name: str) -> None:
    """Of what processes share none is taken for another's: every ablation, and none, has a key of its own."""
    had: dict[str, bytes] = {}

    def ask(*blocks: tuple[str, str]) -> tuple[Any, Recorder]:
        exchange = Recorder(had)
        one = Probe(name, Settings(**SMALL), exchange=exchange)
        one.prepare(traces=True)
        if not blocks:
            return one.responses("en"), exchange
        (names, mode), before = blocks[0], list(exchange.asked)
        with one.ablated(names, mode=mode) as ablated:
            ablated.prepare(["en"], traces=True)
            ablated.forced([_forced_text()], target="token")
            found = ablated.responses("en")
        if mode != "mean":
            assert not set(exchange.asked[len(before) :]) & set(before)
        had.update(exchange.had)
        return found, exchange

    cases = [
        ("L1H0", "zero"),
        ("L1H0", "mean"),
        ("L1H0", "resample"),
        ("MLP1", "zero"),
        ("L0,L1,L2H*", "zero"),
    ]
    first = [ask(), *(ask(case) for case in cases)]
    assert first[0][0] not in [found for found, _ in first[4:]]
    again = [ask(), *(ask(case) for case in cases)]
    assert [found for found, _ in again] == [found for found, _ in first]
    assert all(exchange.made == [] for _, exchange in again)


def _forced_text() -> Forced:
    return Forced(prompts("en", budget=1)[0], (100, 101, 102), None, ended=True)


def test_order_of_the_names_is_no_other_question(name: str) -> None:
    """The same components in another order are answered from what was made."""
    exchange = Recorder()
    probe = Probe(name, Settings(**SMALL), exchange=exchange)
    with probe.ablated(["L1H0", "MLP2"]) as one:
        expected = one.responses("en")
    made = len(exchange.made)
    with probe.ablated("MLP2,L1H0") as other:
        assert other.responses("en") == expected
    assert len(exchange.made) == made


def test_measures_measure_it(tiny_it: Probe) -> None:
    """Measures read it as any probe: the CWA of a component that gives nothing is 0."""
    with tiny_it.ablated(LATE) as ablated:
        assert cwa(ablated, component="late heads", language="en").mean == 0
        assert cwa(ablated, component="final MLP", language="en").mean != 0
        assert exact_match(ablated, language="en").mean < exact_match(tiny_it, language="en").mean - 0.5
        drop = exact_match(tiny_it, language="en") - exact_match(ablated, language="en")
        assert drop > 0.5
        assert exact_match(ablated, language="it").mean > 0.8
    with tiny_it.ablated(FINAL) as ablated:
        assert cwa(ablated, component="final MLP", language="it").mean == 0
        assert exact_match(ablated, language="it").mean < 0.5


@pytest.mark.parametrize("mode", MODES)
def test_everything_ablated(tiny_it: Probe, mode: str) -> None:
    """With no component left control cannot be measured, which is said: in one block, two, and a batch."""
    said = "all 25 heads and MLPs of tiny-it would be ablated: .* control of the length cannot be measured"
    every = [f"L{layer}" for layer in range(5)]
    with pytest.raises(SettingsError, match=said) as told, tiny_it.ablated(every, mode=mode):
        pass
    assert told.value.fix == "leave some in place: a layer's heads are L4H*, its MLP MLP4"
    prompt = tiny_it.responses("en")[0].prompt
    with tiny_it.ablated(every[:4], mode=mode) as ablated:
        with pytest.raises(SettingsError, match=said), ablated.ablated("L4"):
            pass
        last = Ablation().and_also(tiny_it.heads("L4H*"), mode).and_also([Component(4)], mode)
        with pytest.raises(SettingsError, match=said):
            ablated.under([(prompt, last)])


@pytest.mark.parametrize("mode", MODES)
def test_one_part_left(tiny_it: Probe, mode: str) -> None:
    """A model with one component left writes something, with finite numbers; claims of it are broken."""
    with tiny_it.ablated(["L0", "L1", "L2", "L3", "L4H*"], mode=mode) as ablated:
        assert all(np.isfinite(one.trace.token.heads).all() for one in ablated.traces("en"))  # type: ignore[union-attr]
        assert (exact_match(ablated, language="en") > 0.8).status == "broken"
        assert np.isfinite(length_error(ablated, language="en").mean)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("target", ["token", "stop_margin"])
def test_forced_on_its_own_responses(probe: Probe, mode: str, target: str) -> None:
    """Forced on what it wrote, it gives what was captured then, with the same components ablated."""
    with probe.ablated("L1H0,L1H2,MLP1,L2H1", mode=mode) as ablated:
        traced = ablated.traces("en")
        texts = [
            Forced(one.response.prompt, one.response.token_ids, None, one.response.finish_reason == "stop")
            for one in traced
        ]
        found = ablated.forced(texts, target=target)
        whole = probe.forced(texts, target=target)
    for one, other, own in zip(found, whole, traced, strict=True):
        captured = own.trace.token if target == "token" else own.trace.stop  # type: ignore[union-attr]
        for array in Contributions.names():
            actual, expected = getattr(one.contributions, array), getattr(captured, array)
            scale = float(abs(expected).max())
            np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-4 * scale, err_msg=array)
        assert not np.allclose(one.contributions.logits, other.contributions.logits, rtol=1e-2)


def test_blocks_nest(probe: Probe) -> None:
    """An inner block adds to the outer one; what both replace is replaced as the inner one says."""
    with probe.ablated("L0H0,L1H0") as outer:
        with outer.ablated("L1H0,MLP2", mode="mean") as inner:
            expected = Ablation(zero=(Component(0, 0),), mean=(Component(1, 0), Component(2)))
            assert inner.ablation == expected
            assert inner.name == f"{probe.name} [zero: L0H0; mean: L1H0, MLP2]"
            found = inner.responses("en")
        assert outer.responses("en") != found, "the outer one is still open"
    with probe.ablated("L1H0,MLP2", mode="mean") as other, other.ablated("L0H0") as same:
        assert same.ablation == expected
        assert same.responses("en") == found


def test_after_the_block(probe: Probe) -> None:
    """What it measured is kept; what it did not is refused, with where to ask it."""
    with probe.ablated("L1") as ablated:
        kept = ablated.responses("en")
    assert ablated.responses("en") == kept
    assert exact_match(ablated, language="en").n == 8
    prompt = prompts("it", budget=1)[0]
    for ask in (
        lambda: ablated.responses("it"),
        lambda: ablated.traces("en"),
        lambda: ablated.forced([_forced_text()], target="token"),
        lambda: ablated.under([(prompt, Ablation())]),
        lambda: ablated.ablated("L2").__enter__(),
    ):
        with pytest.raises(SettingsError, match=r"\[zero: L1H0, L1H1, .* its block has ended") as told:
            ask()
        assert "with probe.ablated(...) as ablated:" in told.value.fix
    assert len(probe.responses("it")) == 8


def test_after_an_error_in_the_block(probe: Probe, name: str) -> None:
    """However a block ends, the whole model answers as it did, and the ablated probe is closed."""
    blocks: list[Probe] = []

    def interrupted() -> None:
        with probe.ablated("L1") as ablated:
            blocks.append(ablated)
            ablated.responses("en")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    (ablated,) = blocks
    with pytest.raises(SettingsError, match="its block has ended"):
        ablated.responses("it")
    assert probe.responses("en") == load(name, **SMALL).responses("en")


@pytest.mark.parametrize(
    ("names", "mode", "message"),
    [
        ("L7H0", "zero", r"component 'L7H0' is not in .*, which has 3 layers of 4 heads"),
        ("heads", "zero", "component 'heads' is not a name of one"),
        ([], "zero", "no component is named"),
        ("L1H0", "noise", "ablation mode 'noise' is not known"),
    ],
)
def test_what_cannot_be_ablated(probe: Probe, names: Any, mode: str, message: str) -> None:
    """A component or a mode that is not there is refused before the block begins."""
    with pytest.raises(SettingsError, match=message) as told, probe.ablated(names, mode=mode):
        pytest.fail("the block began")
    assert told.value.fix


def test_resampling_needs_another_number(name: str) -> None:
    """With a single length there is no prompt with another N; other prompts and modes are answered."""
    probe = load(name, lengths=(4,), **SMALL)
    with probe.ablated("L1", mode="resample") as ablated:
        with pytest.raises(SettingsError, match="another N") as told:
            ablated.responses("en")
        assert "--lengthprobe-lengths=3-9" in told.value.fix
        with pytest.raises(SettingsError, match="another N"):
            ablated.forced(
                [Forced(prompts("en", lengths=(4,), budget=1)[0], (100,), None, ended=True)], target="token"
            )
    with probe.ablated("L1") as ablated:
        assert len(ablated.responses("en")) == len(probe.responses("en")) == 8
