"""A runaway is cut off where nothing more of it can change what is measured."""

from __future__ import annotations

import pytest

from lengthprobe import load
from lengthprobe.components.names import Ablation, Component
from lengthprobe.generation.runaways import Limits
from lengthprobe.task.words import count_words

HEADS = tuple(Component(*one) for one in ((3, 0), (3, 2), (4, 0), (4, 2)))
BEYOND = 10


@pytest.fixture(scope="module")
def probe():
    """tiny-it, after 20 prompts a language."""
    return load("tiny-it", budget=20, device_map="cpu")


def measured(response, counter):
    """What the measures take from a response: whether it is exact, and its winsorised error."""
    prompt = response.prompt
    n_words = count_words(response.text, language=prompt.language, counter=counter)
    exact = response.finish_reason == "stop" and n_words == prompt.n_words
    return exact, max(-BEYOND, min(BEYOND, n_words - prompt.n_words))


@pytest.mark.parametrize(
    "ablation", [Ablation(zero=HEADS), Ablation(mean=HEADS), Ablation(resample=HEADS)], ids=str
)
@pytest.mark.parametrize("language", ["en", "it"])
def test_the_same_measures(probe, ablation, language):
    """Exact or not, and the winsorised error, are those of responses followed up to the cap."""
    asked = [(one.prompt, ablation) for one in probe.responses(language)]
    whole, followed = probe.under(asked), probe.under(asked, beyond=BEYOND)
    for counter in ("uax29", "whitespace"):
        assert [measured(one, counter) for one in followed] == [measured(one, counter) for one in whole]


def test_runaways_are_cut(probe):
    """They are the beginnings of the whole ones, and much shorter; what ends by itself is untouched."""
    asked = [(one.prompt, Ablation(zero=HEADS)) for one in probe.responses("en")]
    whole, followed = probe.under(asked), probe.under(asked, beyond=BEYOND)
    for long, short in zip(whole, followed, strict=True):
        assert long.token_ids[: len(short.token_ids)] == short.token_ids
    assert {one.finish_reason for one in followed} == {"length"}
    assert sum(len(one.token_ids) for one in followed) < sum(len(one.token_ids) for one in whole) / 2
    unharmed = [(one.prompt, Ablation(zero=HEADS)) for one in probe.responses("it")]
    assert probe.under(unharmed) == probe.under(unharmed, beyond=BEYOND)


@pytest.mark.parametrize(("words", "expected"), [(5, False), (6, False), (7, True)])
def test_the_last_word_may_be_half_written(probe, words, expected):
    """N + beyond + 1 words may be N + beyond and a beginning: only one more is past it."""
    prompt = next(one.prompt for one in probe.responses("en") if one.prompt.n_words == 3)
    limits = Limits(probe.checkpoint, (prompt,), 2, "uax29")
    text = " ".join(["waves"] * words)
    assert limits.is_past(0, probe.checkpoint.tokenizer.encode(text, add_special_tokens=False)) is expected


def test_every_counter_must_be_past(probe):
    """Words joined by hyphens are more by one counter than by the other: the lower count decides."""
    prompt = next(one.prompt for one in probe.responses("en") if one.prompt.n_words == 3)
    tokens = probe.checkpoint.tokenizer.encode("-".join(["waves"] * 30), add_special_tokens=False)
    assert not Limits(probe.checkpoint, (prompt,), 2, "uax29").is_past(0, tokens)
