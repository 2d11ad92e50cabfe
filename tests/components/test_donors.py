"""Donors: the same prompt with another N, whose tokens a resampled component reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lengthprobe.checkpoints.chat.template import render
from lengthprobe.checkpoints.loading import Checkpoint
from lengthprobe.components.donors import donor_tokens
from lengthprobe.errors import SettingsError
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, prompts, with_n_words

CPU = Settings(device_map="cpu")


def _donors_of(
    checkpoint: Checkpoint, prompt: Prompt, lengths: tuple[int, ...]
) -> dict[tuple[int, ...], int]:
    """The lengths by the tokens of the prompt that asks for them."""
    return {
        render(checkpoint, with_n_words(prompt, one), CPU): one for one in lengths if one != prompt.n_words
    }


@pytest.mark.parametrize("language", ["en", "it"])
def test_same_prompt_with_another_number(llama: Checkpoint, language: str) -> None:
    """A donor is the prompt itself, as the checkpoint reads it, with another of the settings' lengths."""
    for prompt in prompts(language, budget=30):
        donor = donor_tokens(llama, prompt, CPU)
        assert donor != render(llama, prompt, CPU)
        assert donor in _donors_of(llama, prompt, CPU.lengths)


def test_as_many_tokens_where_there_is_one(llama: Checkpoint) -> None:
    """Of the other lengths one is taken whose prompt has as many tokens, if any has."""
    asked = prompts("en", budget=60)
    found = set()
    for prompt in asked:
        own = len(render(llama, prompt, CPU))
        there = own in {len(tokens) for tokens in _donors_of(llama, prompt, CPU.lengths)}
        found.add(there)
        assert (len(donor_tokens(llama, prompt, CPU)) == own) is there
    assert True in found


def test_other_number_of_tokens(llama: Checkpoint) -> None:
    """Where no other prompt has as many tokens, one with more or fewer stands in."""
    prompt = next(one for one in prompts("en", budget=60) if str(one.n_words) not in one.text)
    own = len(render(llama, prompt, CPU))
    others = {one: tokens for tokens, one in _donors_of(llama, prompt, tuple(range(2, 13))).items()}
    unlike = next(one for one, tokens in others.items() if len(tokens) != own)
    settings = replace(CPU, lengths=(prompt.n_words, unlike))
    assert donor_tokens(llama, prompt, settings) == others[unlike]


def test_drawn_by_the_prompt(llama: Checkpoint) -> None:
    """The length is drawn by the prompt, in any order of the settings' lengths, and each comes at times."""
    asked = [one for one in prompts("en", budget=200) if one.n_words == 5]
    drawn = set()
    for prompt in asked:
        donor = donor_tokens(llama, prompt, CPU)
        assert donor == donor_tokens(llama, prompt, replace(CPU, lengths=CPU.lengths[::-1]))
        drawn.add(_donors_of(llama, prompt, CPU.lengths)[donor])
    assert len(drawn) > 3
    assert drawn <= {3, 4, 6, 7, 8, 9}


def test_as_the_settings_ask(llama: Checkpoint) -> None:
    """A donor is written in the prompt form of its prompt, with the same system prompt."""
    prompt = prompts("en", budget=1)[0]
    for changed in (replace(CPU, prompt_form="plain"), replace(CPU, system_prompt="Be short.")):
        rendered = {render(llama, with_n_words(prompt, n), changed) for n in range(3, 10)}
        assert donor_tokens(llama, prompt, changed) in rendered


def test_one_length(llama: Checkpoint) -> None:
    """With one length there is no other, which the error says, with what to type."""
    settings = replace(CPU, lengths=(4,))
    prompt = prompts("en", lengths=(4,), budget=1)[0]
    with pytest.raises(SettingsError, match=r"another N, and .* has none \(lengths 4\)") as told:
        donor_tokens(llama, prompt, settings)
    assert told.value.fix == "--lengthprobe-lengths=3-9, or another mode: zero, mean"


def test_number_without_a_word(llama: Checkpoint) -> None:
    """A number that the language has no word for is no donor of a prompt that writes its number as a word."""
    prompt = next(one for one in prompts("en", budget=60) if str(one.n_words) not in one.text)
    with pytest.raises(SettingsError, match="has none"):
        donor_tokens(llama, prompt, replace(CPU, lengths=(prompt.n_words, 1000)))
    other = 3 if prompt.n_words != 3 else 4
    expected = render(llama, with_n_words(prompt, other), CPU)
    assert donor_tokens(llama, prompt, replace(CPU, lengths=(1000, prompt.n_words, other))) == expected
