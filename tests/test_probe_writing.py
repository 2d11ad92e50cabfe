"""A probe that writes with one kind of words: a model of its own name, for the time of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lengthprobe.components.names import Ablation
from lengthprobe.errors import SettingsError
from lengthprobe.generation.vocabulary import WORDS, vocabulary_of, written_words
from lengthprobe.measures import cwa, length_error
from lengthprobe.probe import Probe, load
from lengthprobe.settings import Settings
from tests.test_probe import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL: dict[str, Any] = {"device_map": "cpu", "budget": 20, "cap": 20}
LANGUAGES = ("en", "it")


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_responses_hold_its_own_words_of_that_kind(tiny_it: Probe, words: str, language: str) -> None:
    """Each is an opening and words of the vocabulary, in the very tokens, to the same prompts."""
    decode = tiny_it.checkpoint.decode
    written = written_words(tiny_it.responses(language), decode)
    vocabulary = vocabulary_of(written, words, model="tiny-it", language=language)
    with tiny_it.writing(words) as constrained:
        responses = constrained.responses(language)
    assert [one.prompt for one in responses] == [one.prompt for one in tiny_it.responses(language)]
    for response in responses:
        tokens = response.token_ids
        places = {len(one) for one in vocabulary.openings if tokens[: len(one)] == one}
        for _ in tokens:
            places |= {
                at + len(one)
                for at in places
                for one in vocabulary.words
                if tokens[at : at + len(one)] == one
            }
        assert len(tokens) in places or response.finish_reason == "length"
    assert all(len(one) == 1 for one in vocabulary.words) == (words == "one-token")


def test_name_and_identity(tiny_it: Probe) -> None:
    """It is called after its words; its identity is the model's own, and they."""
    with tiny_it.writing("one-token") as constrained:
        assert constrained.name == "tiny-it [one-token words]"
        identity = constrained.identity().as_dict()
    own = tiny_it.identity().as_dict()
    assert (identity.pop("words"), own.pop("words")) == ("one-token", None)
    assert identity == own


def test_the_model_itself_writes_freely_in_the_block() -> None:
    """The other probe's responses are what they were, before, within and after."""
    probe, other = load("tiny-it", **SMALL), load("tiny-it", **SMALL)
    with probe.writing("several-token") as constrained:
        first = constrained.responses("en")
        assert probe.responses("en") == other.responses("en") != first
        assert probe.responses("it") == other.responses("it")


def test_shared_answers_are_told_apart() -> None:
    """No answer of one kind is taken for the other's, nor for a free one; asked again, none is made again."""
    had: dict[str, bytes] = {}
    texts = []
    for _ in range(2):
        exchange = Recorder(had)
        probe = Probe("tiny-it", Settings(**SMALL, languages=("en",)), exchange=exchange)
        found = [probe.responses("en")]
        for words in WORDS:
            with probe.writing(words) as constrained:
                found.append(constrained.responses("en"))
        texts.append(tuple(tuple(one.text for one in some) for some in found))
        had.update(exchange.had)
    assert len(set(texts[0])) == 3
    assert texts[0] == texts[1]
    assert exchange.made == []


def test_measures_measure_it(tiny_it: Probe) -> None:
    """Behaviour and attribution, of what it wrote; attributions add up as ever."""
    with tiny_it.writing("one-token") as constrained:
        assert length_error(constrained, language="en").n == 20
        assert np.isfinite(cwa(constrained, component="late heads", language="en").mean)
        assert constrained.proof.problem is None
        for one in constrained.traces("en"):
            assert one.trace is not None
            ended = one.response.finish_reason == "stop"
            assert len(one.trace.token.logits) == len(one.response.token_ids) + ended


@pytest.mark.parametrize("mode", ["zero", "resample"])
def test_blocks_of_both_nest(tiny_it: Probe, mode: str) -> None:
    """Ablated in either order it is the same, with the words of the whole model."""
    late = "L3H*,L4H*"
    with tiny_it.writing("one-token") as outer, outer.ablated(late, mode=mode) as one:
        assert one.name == f"tiny-it [{one.ablation.label}; one-token words]"
        found = one.responses("en")
        assert outer.responses("en") != found
    with tiny_it.ablated(late, mode=mode) as outer, outer.writing("one-token") as other:
        assert other.name == one.name
        assert other.responses("en") == found
        assert other.identity() == one.identity()
        assert outer.responses("en") != found


def test_runaways_are_cut_off(tiny_it: Probe) -> None:
    """A response that nothing more is wanted of ends, and the others of its batch go on by the rules."""
    asked = [(one.prompt, Ablation()) for one in tiny_it.responses("en")]
    with tiny_it.writing("one-token") as constrained:
        whole = constrained.under(asked)
        followed = constrained.under(asked, beyond=1)
    assert any(
        len(short.token_ids) < len(long.token_ids) for short, long in zip(followed, whole, strict=True)
    )
    for short, long in zip(followed, whole, strict=True):
        assert long.token_ids[: len(short.token_ids)] == short.token_ids


def test_after_the_block() -> None:
    """What it measured is kept; what it did not is refused, with where to ask it."""
    probe = load("tiny-it", **SMALL)
    with probe.writing("one-token") as constrained:
        kept = constrained.responses("en")
    assert constrained.responses("en") == kept
    with pytest.raises(SettingsError, match=r"\[one-token words\]: its block has ended") as told:
        constrained.responses("it")
    assert "with probe.writing(...)" in told.value.fix


def test_words_that_are_not_there(tiny_it: Probe) -> None:
    """An unknown kind, and a second one within the block of a first, are refused at once."""
    with pytest.raises(SettingsError, match="words 'short' are not known") as told:
        tiny_it.writing("short").__enter__()
    assert told.value.fix == "words is one of one-token, several-token"
    with (
        tiny_it.writing("one-token") as constrained,
        pytest.raises(SettingsError, match="writes with one-token words already"),
    ):
        constrained.writing("several-token").__enter__()


def test_too_few_words(checkpoints: Callable[..., Path]) -> None:
    """A model of which nothing is a word says so, and still answers freely."""
    probe = load(str(checkpoints("llama")), **{**SMALL, "budget": 3, "cap": 4})
    with probe.writing("one-token") as constrained, pytest.raises(SettingsError, match=r"wrote \d different"):
        constrained.responses("en")
    assert len(probe.responses("it")) == 3
