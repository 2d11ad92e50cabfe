"""A batch answered with attributions: the same responses, each token's adherence, the components proved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from lengthprobe.asking import answering
from lengthprobe.asking.answering import answer, prove
from lengthprobe.attribution.readout import readout_of
from lengthprobe.attribution.trace import Contributions
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.components.anatomy import anatomy_of
from lengthprobe.errors import ModelError, OutOfMemoryError
from lengthprobe.settings import Settings
from lengthprobe.task.adherence import adherence
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lengthprobe.attribution.readout import Readout
    from lengthprobe.checkpoints.loading import Checkpoint

CPU = Settings(device_map="cpu", cap=30)
PROMPTS = prompts("en", budget=5)


@pytest.fixture(scope="module")
def llama(checkpoints: Callable[..., Path]) -> Checkpoint:
    """The random Llama, some of whose responses stop before the cap and some do not."""
    return load_checkpoint(str(checkpoints("llama")), CPU)


@pytest.fixture(scope="module")
def readout(llama: Checkpoint) -> Readout:
    """Its readout."""
    return readout_of(anatomy_of(llama.model))


@pytest.fixture
def hooked(llama: Checkpoint) -> Iterator[Callable[..., None]]:
    """Return a function that hooks a module of the model while the test runs."""
    handles = []

    def hook(module: str, function: Callable[..., Any]) -> None:
        handles.append(llama.model.get_submodule(module).register_forward_hook(function))

    yield hook
    for handle in handles:
        handle.remove()


def _hidden_component(_module: object, _inputs: object, output: Any) -> Any:
    """A layer adds something to the stream that is neither its heads' nor its MLP's."""
    return (output[0] + 1.0, *output[1:]) if isinstance(output, tuple) else output + 1.0


def test_responses_are_those_without_attribution(llama: Checkpoint, readout: Readout) -> None:
    """Attribution changes no response."""
    with_it, without = answer(llama, PROMPTS, CPU, readout), answer(llama, PROMPTS, CPU, None)
    assert with_it.responses == without.responses
    assert (without.traces, without.adherences, without.gap, without.problem) == ((), (), 0.0, None)


def test_one_trace_and_adherence_a_response(llama: Checkpoint, readout: Readout) -> None:
    """Each has a step for every token, and one more for the end token where the model wrote it."""
    found = answer(llama, PROMPTS, CPU, readout)
    assert {one.finish_reason for one in found.responses} == {"stop", "length"}
    for response, trace, words in zip(found.responses, found.traces, found.adherences, strict=True):
        ended = response.finish_reason == "stop"
        steps = len(response.token_ids) + ended
        assert (len(trace.token.logits), len(trace.stop.logits)) == (steps, steps)
        assert words == adherence(
            response.token_ids, llama.decode, ended=ended, language="en", counter="uax29"
        )


def test_counter_of_the_settings(llama: Checkpoint, readout: Readout) -> None:
    """Words are counted as the settings say."""
    settings = Settings(device_map="cpu", cap=30, counter="characters")
    found = answer(llama, PROMPTS, settings, readout)
    assert (
        found.adherences[0].counts
        == adherence(
            found.responses[0].token_ids,
            llama.decode,
            ended=found.adherences[0].ended,
            language="en",
            counter="characters",
        ).counts
    )


def test_components_that_add_up(llama: Checkpoint, readout: Readout) -> None:
    """The largest gap of any step is told, and is that of rounding."""
    found = answer(llama, PROMPTS, CPU, readout)
    assert found.problem is None
    assert 0 < found.gap < 1e-5


def test_components_that_do_not_add_up(
    llama: Checkpoint, readout: Readout, hooked: Callable[..., None]
) -> None:
    """The responses are there all the same, and the problem says by how much the components miss."""
    hooked("model.layers.1", _hidden_component)
    found = answer(llama, PROMPTS, CPU, readout)
    assert len(found.responses) == len(PROMPTS)
    assert found.gap > 1e-3
    assert found.problem is not None
    assert "the components of architecture llama do not add up to its logits" in str(found.problem)


def test_batch_that_is_split(llama: Checkpoint, readout: Readout, hooked: Callable[..., None]) -> None:
    """A batch split for want of memory gives the same attributions, in the order of the prompts."""
    expected = answer(llama, PROMPTS, CPU, readout)

    def full(_module: object, _inputs: object, output: torch.Tensor) -> None:
        if len(output) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    hooked("model.layers.2.mlp", full)
    found = answer(llama, PROMPTS, CPU, readout)
    assert (found.pieces, found.responses) == (3, expected.responses)
    for one, other in zip(found.traces, expected.traces, strict=True):
        for name in Contributions.names():
            wanted = getattr(other.token, name)
            np.testing.assert_allclose(getattr(one.token, name), wanted, rtol=1e-4, atol=1e-4, err_msg=name)


def test_memory_is_out_for_attributions_alone(
    llama: Checkpoint, readout: Readout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The responses are there all the same, and the problem says that it was the watching."""

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(answering.Capture, "step", full)
    found = answer(llama, PROMPTS, CPU, readout)
    assert found.responses == answer(llama, PROMPTS, CPU, None).responses
    assert (found.pieces, found.traces, found.adherences) == (1, (), ())
    assert found.problem is not None
    assert "runs out of memory on cpu with a single prompt" in found.problem.problem
    assert found.problem.problem.endswith(", while its components are watched")
    assert "behavior_tests" in found.problem.fix
    assert prove(llama, PROMPTS, CPU, lambda: readout).problem is not None


def test_memory_is_out_for_responses_too(
    llama: Checkpoint, readout: Readout, hooked: Callable[..., None]
) -> None:
    """Then it is the checkpoint that does not fit."""

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    hooked("model.layers.2.mlp", full)
    with pytest.raises(OutOfMemoryError, match=r"with a single prompt of .* tokens and a cap of 30\n"):
        answer(llama, PROMPTS, CPU, readout)


def test_proof(llama: Checkpoint, readout: Readout, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof says what the components are, from the first tokens of a few responses."""
    caps: list[int] = []

    def told(
        checkpoint: Checkpoint, asked: Any, settings: Settings, given: Readout | None, **options: Any
    ) -> Any:
        caps.append(settings.cap)
        return answer(checkpoint, asked, settings, given, **options)

    monkeypatch.setattr(answering, "answer", told)
    found = prove(llama, PROMPTS, CPU, lambda: readout)
    assert (found.architecture, found.n_layers, found.n_heads, found.problem) == ("llama", 3, 4, None)
    assert 0 < found.gap < 1e-5
    prove(llama, PROMPTS, Settings(device_map="cpu", cap=3), lambda: readout)
    assert caps == [8, 3]


def test_proof_that_fails(llama: Checkpoint, readout: Readout, hooked: Callable[..., None]) -> None:
    """Components that do not add up are a problem with them, and no error of the checkpoint."""
    hooked("model.layers.1", _hidden_component)
    found = prove(llama, PROMPTS, CPU, lambda: readout)
    assert (found.architecture, found.n_layers) == ("llama", 3)
    assert "do not add up" in str(found.problem)


def test_proof_of_an_architecture_that_is_not_known(llama: Checkpoint) -> None:
    """So is an architecture that nobody has written an entry for; nothing is run."""

    def unknown() -> Readout:
        raise ModelError("the architecture is not known", "take another")

    found = prove(llama, PROMPTS, CPU, unknown)
    assert (found.architecture, found.n_layers, found.n_heads) == ("", 0, 0)
    assert str(found.problem) == "the architecture is not known\n  fix: take another"


def test_nan_is_an_error_of_the_checkpoint(
    llama: Checkpoint, readout: Readout, hooked: Callable[..., None]
) -> None:
    """Where the logits are NaN there is no response either; the error names the first such component."""
    hooked("model.layers.1.mlp.down_proj", lambda _module, _inputs, output: output * torch.nan)
    for asked in (None, readout):
        with pytest.raises(ModelError, match=r"NaN or infinite.*: first in model\.layers\.1\.mlp\.down_proj"):
            answer(llama, PROMPTS, CPU, asked)
