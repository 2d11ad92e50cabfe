"""A checkpoint under measurement: what it is asked, it is asked once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lengthprobe import load
from lengthprobe.asking.progress import Progress
from lengthprobe.checkpoints import loading
from lengthprobe.errors import LanguageError, ModelError, SettingsError
from lengthprobe.generation.transformers_engine import respond
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lengthprobe.checkpoints.loading import Checkpoint

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 8, "cap": 8, "batch_size": 3}


class Recorder:
    """An exchange that remembers what it was asked, and has some answers already."""

    def __init__(self, had: Mapping[str, bytes] | None = None) -> None:
        self.had = dict(had or {})
        self.asked: list[str] = []
        self.made: list[str] = []

    def gather(self, keys: Sequence[str], make: Callable[[str], bytes]) -> dict[str, bytes]:
        """The bytes, made here where there are none yet."""
        self.asked += keys
        for key in keys:
            if key not in self.had:
                self.made.append(key)
                self.had[key] = make(key)
        return {key: self.had[key] for key in keys}

    def has(self, key: str) -> bool:
        """Whether there are bytes."""
        return key in self.had

    def smallest(self, _key: str, number: int | None) -> int | None:
        """The number: memory never runs out here."""
        return number


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the checkpoints that are loaded while the test runs."""
    names: list[str] = []
    load_checkpoint = loading.load_checkpoint

    def counted(files: Any, settings: Settings) -> Checkpoint:
        names.append(files.source.name)
        return load_checkpoint(files, settings)

    monkeypatch.setattr(loading, "load_checkpoint", counted)
    return names


@pytest.fixture
def name(checkpoints: Callable[..., Path]) -> str:
    """The random Llama's directory."""
    return str(checkpoints("llama"))


def test_responses_to_the_prompt_stream(name: str) -> None:
    """The responses are those to the language's prompts, in their order, as the model gives them."""
    probe = load(name, **SMALL)
    asked = prompts("it", budget=8)
    expected = respond(probe.checkpoint, asked, probe.settings, batch_size=3)
    assert probe.responses("it") == expected
    assert tuple(response.prompt for response in expected) == asked


def test_settings_decide_the_prompts(name: str) -> None:
    """Lengths, budget and seed of the settings decide what is asked."""
    probe = load(name, **SMALL | {"lengths": (2, 4), "seed": 5, "budget": 4})
    found = tuple(response.prompt for response in probe.responses("en"))
    assert found == prompts("en", lengths=(2, 4), seed=5, budget=4)


def test_each_language_is_asked_once(name: str, loads: list[str]) -> None:
    """A second question is answered from memory, and the model is loaded once for all languages."""
    exchange = Recorder()
    probe = Probe(name, Settings(**SMALL), exchange=exchange)
    first = probe.responses("en")
    assert all(one is other for one, other in zip(probe.responses("en"), first, strict=True))
    probe.responses("it")
    assert loads == [name]
    assert len(exchange.asked) == len(set(exchange.asked))


def test_several_languages_at_once(name: str) -> None:
    """Prepared languages are asked in one go, whichever of them were asked before."""
    exchange = Recorder()
    probe = Probe(name, Settings(**SMALL), exchange=exchange)
    probe.responses("it")
    before = len(exchange.asked)
    probe.prepare()
    # 8 English prompts, at most 3 at once.
    assert len(exchange.asked) - before == 3
    probe.prepare()
    assert len(exchange.asked) - before == 3


def test_responses_of_another_process(name: str, loads: list[str]) -> None:
    """Batches that another process has made are read, and the model is not loaded for them."""
    one = Recorder()
    made = Probe(name, Settings(**SMALL), exchange=one).responses("en")
    assert one.made == one.asked
    other = Recorder(one.had)
    assert Probe(name, Settings(**SMALL), exchange=other).responses("en") == made
    assert (other.asked, other.made, loads) == (one.asked, [], [name])


def test_shared_batches_are_json(name: str) -> None:
    """What is shared is JSON, as bytes."""
    exchange = Recorder()
    Probe(name, Settings(**SMALL), exchange=exchange).responses("en")
    assert all(json.loads(made)["pieces"] == 1 for made in exchange.had.values())


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"cap": 9}, True),
        ({"prompt_form": "plain"}, True),
        ({"system_prompt": "Be brief."}, True),
        ({"dtype": "bfloat16"}, True),
        ({"seed": 1}, True),
        ({"batch_size": 8}, True),
        ({"alpha": 0.01}, False),
        ({"counter": "whitespace"}, False),
        ({"languages": ("en",)}, False),
    ],
    ids=str,
)
def test_keys(name: str, changes: dict[str, Any], differs: bool) -> None:
    """A batch has another key where its responses may differ, and there only."""

    def keys(**settings: Any) -> set[str]:
        exchange = Recorder()
        probe = Probe(name, Settings(**settings), exchange=exchange)
        probe.responses("en")
        return set(exchange.asked)

    common = keys(**SMALL) & keys(**SMALL | changes)
    assert bool(common) is not differs


def test_keys_of_another_checkpoint(name: str, checkpoints: Callable[..., Path]) -> None:
    """Two checkpoints share no key."""
    exchange = Recorder()
    Probe(name, Settings(**SMALL), exchange=exchange).responses("en")
    Probe(str(checkpoints("qwen3")), Settings(**SMALL), exchange=exchange).responses("en")
    assert len(exchange.made) == 6


def test_progress(name: str) -> None:
    """Progress starts at nothing, counts the prompts of each batch, and ends with all."""
    told: list[Progress] = []
    Probe(name, Settings(**SMALL), progress=told.append).prepare(["en"])
    assert {one.what for one in told} == {"English"}
    assert {one.total for one in told} == {8}
    counts = [one.done for one in told if not one.written]
    assert list(dict.fromkeys(counts)) == [0, 3, 6, 8]


def test_name_is_understood_at_once() -> None:
    """A name that nothing has is refused before anything is asked."""
    with pytest.raises(ModelError, match="no model is known"):
        load("lama")


def test_settings_are_checked_at_once(name: str) -> None:
    """A setting that cannot be used is refused before anything is asked."""
    with pytest.raises(SettingsError, match="cap 0"):
        load(name, cap=0)


def test_unknown_language(name: str) -> None:
    """A language that nobody has written is refused, and others can still be asked."""
    probe = load(name, **SMALL)
    with pytest.raises(LanguageError):
        probe.responses("xx")
    assert probe.responses("en")


def test_failure_is_remembered(copy_of: Callable[..., Path], loads: list[str]) -> None:
    """A checkpoint that cannot be loaded is tried once, and every question gets the same answer."""
    directory = copy_of()
    (directory / "generation_config.json").write_text("{")
    probe = load(str(directory), **SMALL)
    for _ in range(2):
        with pytest.raises(ModelError, match=r"generation_config\.json"):
            probe.responses("en")
    with pytest.raises(ModelError, match=r"generation_config\.json"):
        probe.identity()
    assert loads == [str(directory)]


def test_unusable_logits(name: str) -> None:
    """A model that gives every token the same logit is an error, and no response."""
    probe = load(name, **SMALL)
    probe.checkpoint.model.lm_head.weight.data.zero_()
    with pytest.raises(ModelError, match="same logit"):
        probe.responses("en")


@pytest.fixture
def interrupted(name: str) -> Iterator[Probe]:
    """A probe whose second batch is interrupted."""
    probe = load(name, **SMALL)
    batches: list[int] = []

    def interrupt(_module: object, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        ids = kwargs.get("input_ids", inputs[0] if inputs else None)
        batches.append(ids.shape[1] > 1)
        if sum(batches) == 3:
            raise KeyboardInterrupt

    handle = probe.checkpoint.model.register_forward_pre_hook(interrupt, with_kwargs=True)
    yield probe
    handle.remove()


def test_interrupt(interrupted: Probe) -> None:
    """Ctrl-C passes, leaves nothing half-answered, and the language can be asked again."""
    with pytest.raises(KeyboardInterrupt):
        interrupted.responses("en")
    assert len(interrupted.responses("en")) == 8


def test_split_batches_are_marked(name: str) -> None:
    """A batch that did not fit is counted in the identity."""
    probe = load(name, **SMALL)

    def full(_module: object, _inputs: object, output: Any) -> None:
        if output.logits.shape[0] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    handle = probe.checkpoint.model.register_forward_hook(full)
    assert probe.identity().split_batches == 0
    probe.responses("en")
    handle.remove()
    # Batches of 3, 3 and 2.
    assert probe.identity().split_batches == 2


def test_identity(name: str) -> None:
    """The identity is that of the checkpoint under the probe's settings."""
    found = load(name, **SMALL).identity()
    assert (found.name, found.batch_size, found.cap, found.budget) == (name, 3, 8, 8)


def test_fixture_model_by_name() -> None:
    """A fixture model is known by its bare name."""
    assert load("tiny-it").source.kind == "fixture"
