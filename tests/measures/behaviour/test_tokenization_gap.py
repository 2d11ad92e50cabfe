"""The error with words of one token each, less that with words of several."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from lengthprobe import load
from lengthprobe.measures import error_with_words, tokenization_gap


class Writing:
    """A probe that answers in one way with either kind of words."""

    def __init__(self, own, **kinds):
        self._own, self._kinds = own, kinds
        self.open = []

    @contextmanager
    def writing(self, words):
        """Gives the answers of that kind, for a block."""
        self.open.append(words)
        yield replace(self._kinds[words.replace("-", "_")], name=f"model [{words} words]")
        self.open.append(f"no longer {words}")


def test_is_the_difference_prompt_by_prompt(answered, values):
    """One word too many less two too few is three; equal errors are no gap, whatever they are."""
    probe = Writing(
        answered((3, 3)),
        one_token=answered((3, 4), (5, 5), (7, 4)),
        several_token=answered((3, 1), (5, 5), (7, 4)),
    )

    gap = tokenization_gap(probe, language="en")

    assert values(gap) == [3, 0, 0]
    assert (gap.mean, gap.unit, gap.bounds) == (1, "words", (-6, 6))
    assert gap.name == (
        "length_error(model [one-token words], en) - length_error(model [several-token words], en)"
    )


def test_runaways_count_as_three(answered, values):
    """As in the length error."""
    probe = Writing(answered(), one_token=answered((3, 80)), several_token=answered((3, 3)))
    assert values(tokenization_gap(probe, language="en")) == [3]


def test_each_kind_is_asked_in_a_block_of_its_own(answered):
    """A block within the other would be refused."""
    probe = Writing(answered(), one_token=answered((3, 3)), several_token=answered((3, 3)))
    tokenization_gap(probe, language="en")
    assert probe.open == ["one-token", "no longer one-token", "several-token", "no longer several-token"]


def test_too_few_words_decide_nothing(monkeypatch):
    """Of a model that wrote too few words of a kind no gap is known; why, and the mend, is said."""
    monkeypatch.setattr("lengthprobe.generation.vocabulary.FEWEST_WORDS", 10_000)
    probe = load("tiny-it", budget=4, languages=("en",), device_map="cpu")
    gap = tokenization_gap(probe, language="en")
    assert (gap.n, gap.clusters) == (0, 0)
    verdict = abs(gap) < 0.5
    assert verdict.status == "undecided"
    assert "are needed to write with these alone (--lengthprobe-budget=1000" in str(verdict)
    one = error_with_words(probe, language="en", words="one-token")
    assert one.name == "length_error[one-token](tiny-it, en)"


@pytest.mark.parametrize("language", ["en", "it"])
def test_of_a_model(tiny_it, language):
    """It is that of the responses that the probe gives with either kind."""
    from lengthprobe.task.words import count_words

    errors = []
    for words in ("one-token", "several-token"):
        with tiny_it.writing(words) as constrained:
            responses = constrained.responses(language)
        counts = [count_words(one.text) - one.prompt.n_words for one in responses]
        errors.append([max(-3, min(3, count)) for count in counts])
    expected = sum(one - several for one, several in zip(*errors, strict=True)) / len(errors[0])
    assert tokenization_gap(tiny_it, language=language).mean == pytest.approx(expected)
