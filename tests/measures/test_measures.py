"""Every measure of length equals a loop written out, on responses that a real model and others wrote."""

from dataclasses import dataclass, field

import pytest

from lengthprobe import count_words, measures
from lengthprobe.errors import SettingsError
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, Response, prompts


@dataclass(frozen=True)
class Answers:
    """What a measure needs of a probe, with responses that the test wrote."""

    written: tuple[Response, ...]
    settings: Settings = field(default_factory=Settings)
    name: str = "written"
    family: int = 14

    def responses(self, _language):
        """The responses, whatever the language."""
        return self.written


def _answers(*lengths, settings=None, join=" ", reason="stop"):
    """Answers of so many words to the first prompts of the English stream, over and over."""
    asked = prompts("en", budget=140)
    written = tuple(
        Response(prompt, (), join.join(["word"] * lengths[i % len(lengths)]), reason)
        for i, prompt in enumerate(asked)
    )
    return Answers(written, settings or Settings())


MIXED = (0, 1, 2, 3, 5, 8, 13, 21, 40)


def _errors(probe):
    return [count_words(one.text) - one.prompt.n_words for one in probe.written]


def _mean(values):
    return sum(values) / len(values)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (measures.length_error, lambda e, n: max(-10, min(10, e))),
        (measures.raw_length_error, lambda e, n: e),
        (measures.absolute_error, lambda e, n: min(10, abs(e))),
        (measures.exact_match, lambda e, n: e == 0),
        (measures.too_long, lambda e, n: e > 0),
        (measures.too_short, lambda e, n: e < 0),
        (measures.runaways, lambda e, n: e > n),
        (measures.short_answers, lambda e, n: e < -1),
        (measures.empty, lambda e, n: e == -n),
    ],
)
def test_a_measure_is_the_mean_over_prompts(measure, expected):
    """The mean is that of the formula over every response, the empty and the far too long included."""
    probe = _answers(*MIXED)
    errors = _errors(probe)
    asked = [one.prompt.n_words for one in probe.written]
    by_hand = _mean([float(expected(e, n)) for e, n in zip(errors, asked, strict=True)])
    estimate = measure(probe, language="en")
    assert estimate.mean == pytest.approx(by_hand, abs=1e-12)
    assert estimate.n == 140


def test_error_growth_is_the_least_squares_slope():
    """The mean of the per-prompt values is numpy's slope of the capped absolute error on N."""
    numpy = pytest.importorskip("numpy")
    probe = _answers(*MIXED)
    capped = [min(5, abs(e)) for e in _errors(probe)]
    slope = numpy.polyfit([one.prompt.n_words for one in probe.written], capped, 1)[0]
    assert measures.error_growth(probe, language="en").mean == pytest.approx(slope, abs=1e-12)


def test_error_growth_needs_more_than_one_length():
    """One N has no slope: the error says which option to type."""
    same = Prompt("p", "en", 5, "t", "w", "Write 5 words.")
    with pytest.raises(SettingsError, match="more than one N") as caught:
        measures.error_growth(Answers((Response(same, (), "a b", "stop"),)), language="en")
    assert caught.value.fix.startswith("--lengthprobe-lengths=3-9")


def test_a_cut_off_response_is_a_runaway_and_never_exact():
    """A response that the cap ended counts as a runaway whatever its length, and stays in the denominator."""
    probe = _answers(3, 4, 5, 6, 7, 8, 9, reason="length")
    assert measures.runaways(probe, language="en").mean == 1
    assert measures.cut_off(probe, language="en").mean == 1
    assert measures.exact_match(probe, language="en").mean == 0


def test_a_measure_can_be_of_some_lengths():
    """`lengths` takes the prompts that ask for them and no others."""
    probe = _answers(*MIXED)
    three = measures.exact_match(probe, language="en", lengths=[3])
    assert three.n == sum(one.prompt.n_words == 3 for one in probe.written)
    assert three.name == "exact_match(written, en, N=3)"


def test_a_measure_that_counts_words_has_the_other_counter_as_its_rival():
    """Hyphenated answers are as long as asked by UAX #29 and one word by the spaces: undecided, by name."""
    asked = prompts("en", budget=140)
    written = tuple(Response(one, (), "-".join(["word"] * one.n_words), "stop") for one in asked)
    estimate = measures.length_error(Answers(written), language="en")
    assert (estimate.mean, estimate.counter) == (0, "uax29")
    assert estimate.rival.counter == "whitespace"
    assert estimate.rival.mean == _mean([1 - one.n_words for one in asked])
    assert (abs(estimate) < 0.9).status == "undecided"
    assert measures.counter_disagreement(Answers(written), language="en").mean == 1


def test_a_counter_of_the_users_choice_has_no_rival():
    """Who asks for a counter by name other than the two common ones gets its verdict."""
    probe = _answers(*MIXED, settings=Settings(counter="characters"))
    assert measures.length_error(probe, language="en").rival is None


def test_the_raw_mean_decides_nothing():
    """No interval covers a rare runaway that was not seen, so the raw mean is shown and not judged."""
    raw = measures.raw_length_error(_answers(3, 4, 5), language="en")
    assert (raw < 1000).status == "undecided"
    assert "shown and decides nothing" in str(raw < 1000)
