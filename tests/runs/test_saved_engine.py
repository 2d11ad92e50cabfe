"""The engine that answers from a saved run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import lengthprobe
from lengthprobe import measures
from lengthprobe.asking.questions import Prove, Score, Write
from lengthprobe.asking.subject import WHOLE
from lengthprobe.components.names import Ablation
from lengthprobe.errors import NotSavedError, SettingsError
from lengthprobe.runs.saved import SavedRun, read_run
from lengthprobe.runs.saved_engine import SavedEngine
from lengthprobe.saved_probe import load_run, run_probe
from tests.saved_runs import SETTINGS


@pytest.fixture(scope="module")
def live() -> lengthprobe.Probe:
    """The checkpoint that was saved."""
    return lengthprobe.load("tiny-it", **SETTINGS)


@pytest.fixture
def engine(approved: SavedRun) -> SavedEngine:
    """An engine under the settings of the run."""
    return SavedEngine(approved, approved.settings)


def test_any_batch_of_saved_prompts_is_answered(engine: SavedEngine, approved: SavedRun) -> None:
    """In any order, of both languages together."""
    responses = [*approved.responses("en")[5:8], *approved.responses("it")[:2], approved.responses("en")[0]]
    question = Write(tuple(response.prompt for response in responses), (WHOLE,) * len(responses))
    (answer,) = engine.answer([question])
    assert answer.responses == tuple(responses)


@pytest.mark.parametrize("measure", ["exact_match", "length_error", "error_growth", "counter_disagreement"])
def test_measures_of_behaviour_are_equal(measure: str, approved: SavedRun, live: lengthprobe.Probe) -> None:
    """To those of the checkpoint, in every digit."""
    saved = run_probe(approved, approved.settings)
    for language in ("en", "it"):
        ours, theirs = (getattr(measures, measure)(probe, language=language) for probe in (saved, live))
        assert (ours.mean, ours.low, ours.high, ours.n) == (theirs.mean, theirs.low, theirs.high, theirs.n)


@pytest.mark.parametrize("measure", ["cwa", "number_swap", "stop_cwa"])
def test_measures_of_attribution_are_equal(measure: str, approved: SavedRun, live: lengthprobe.Probe) -> None:
    """Where attributions were saved."""
    saved = run_probe(approved, approved.settings).in_role("base")
    ours, theirs = (
        getattr(measures, measure)(probe, component="late heads", language="en")
        for probe in (saved, live.in_role("base"))
    )
    assert (ours.mean, ours.low, ours.high) == (theirs.mean, theirs.low, theirs.high)


def test_fewer_prompts_and_another_counter(approved: SavedRun) -> None:
    """The first prompts of the stream, counted again."""
    live = lengthprobe.load("tiny-it", **{**SETTINGS, "budget": 15, "counter": "whitespace"})
    saved = run_probe(approved, replace(approved.settings, budget=15, counter="whitespace"))
    ours, theirs = (measures.exact_match(probe, language="it") for probe in (saved, live))
    assert (ours.mean, ours.n, ours.counter) == (theirs.mean, 15, "whitespace")


def test_more_prompts_are_refused(approved: SavedRun) -> None:
    """Before anything is measured, and by the engine too."""
    more = replace(approved.settings, budget=50)
    expected = r"the saved run approved holds 40 prompts in en and 40 prompts in it, and 50 are asked for"
    with pytest.raises(SettingsError, match=expected):
        run_probe(approved, more)
    probe = lengthprobe.Probe("approved", more, kept=SavedEngine(approved, more))
    with pytest.raises(NotSavedError, match="approved holds 40 prompts in en, and 50 are asked for"):
        probe.responses("en")


def test_a_gap_is_no_failure_of_the_whole_run(approved: SavedRun) -> None:
    """Other questions have their answers."""
    settings = replace(approved.settings, languages=("de", "en"))
    probe = lengthprobe.Probe("approved", settings, kept=SavedEngine(approved, settings))
    with pytest.raises(NotSavedError, match="the saved run approved does not hold answers in de"):
        probe.responses("de")
    assert len(probe.responses("en")) == 40


def test_what_was_not_saved_is_named(engine: SavedEngine, approved: SavedRun) -> None:
    """Ablation, words, other kinds of questions."""
    prompt = approved.responses("en")[0].prompt
    cut = Write((prompt,), (Ablation(zero=tuple(_heads("L3H1"))),))
    for question in (cut, Write((prompt,), (WHOLE,), words="one-token"), Score(("a text",), WHOLE)):
        with pytest.raises(NotSavedError, match="the saved run approved does not hold"):
            list(engine.answer([question]))


def test_language_without_attributions(approved: SavedRun) -> None:
    """Responses are there, and the reason stands where attributions are wanted."""
    probe = run_probe(approved, approved.settings)
    probe.prepare(["en", "it"], traces=True)
    assert len(probe.traces("en")) == 40
    with pytest.raises(NotSavedError, match=r"holds no attributions in it\n.*mech_tests"):
        probe.traces("it")


def test_attributions_keep_their_counter(approved: SavedRun) -> None:
    """Whether a token keeps to the length depends on the counter."""
    settings = replace(approved.settings, counter="whitespace")
    probe = run_probe(approved, settings)
    with pytest.raises(NotSavedError, match=r"the word counter uax29, and whitespace.*\n.*counter=uax29"):
        probe.traces("en")


def test_no_checkpoint_is_there_to_load(approved: SavedRun) -> None:
    """The message names the checkpoint."""
    probe = run_probe(approved, approved.settings)
    for wanted in ("checkpoint", "files"):
        with pytest.raises(SettingsError, match=r"approved is a saved run: .*\n.*tiny-it"):
            getattr(probe, wanted)


def test_identity_and_form_are_those_of_the_checkpoint(approved: SavedRun, live: lengthprobe.Probe) -> None:
    """With the name of the run."""
    probe = run_probe(approved, approved.settings)
    assert probe.identity() == replace(
        live.identity(), display_name="approved", run=f"approved, saved {approved.date}"
    )
    assert replace(probe.form, model="tiny-it") == live.form


def test_components_of_the_checkpoint(engine: SavedEngine, live: lengthprobe.Probe) -> None:
    """By their numbers."""
    (proof,) = engine.answer([Prove()])
    assert (proof.n_layers, proof.n_heads) == (live.proof.n_layers, live.proof.n_heads)
    assert engine.can == {"text", "components"}


def test_run_without_attributions_says_so(copied: Callable[[], Path]) -> None:
    """In the proof, so that claims on behaviour go on."""
    path = copied()
    content = json.loads((path / "run.json").read_text())
    content["models"]["model"]["languages"]["en"]["attributions"] = False
    content["models"]["model"]["proof"] = None
    (path / "run.json").write_text(json.dumps(content))
    probe = load_run("./runs/approved".replace("./runs", str(path.parent)))
    probe.prepare(traces=True)
    assert len(probe.responses("en")) == 40
    assert "holds no attributions" in str(probe.proof.problem)
    assert read_run(path).proof() is None


def test_load_run_takes_a_name_and_settings(approved: SavedRun) -> None:
    """As `load` does."""
    probe = lengthprobe.load_run("approved", runs=approved.path.parent, budget=20)
    assert (probe.name, len(probe.responses("en"))) == ("approved", 20)


def _heads(name: str) -> list[object]:
    from lengthprobe.components.names import find_components

    return list(find_components(name, n_layers=5, n_heads=4, model="tiny-it"))
