"""Sampling as text: what can be asked for, and what is refused."""

from __future__ import annotations

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.sampling import Sampling, read_sampling
from lengthprobe.settings import Settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("temperature=0.7,top-p=0.9", Sampling(0.7, None, 0.9)),
        ("top_p=0.9, Temperature=0.7", Sampling(0.7, None, 0.9)),
        ("top-k=50", Sampling(1.0, 50, 1.0)),
        ("temperature=1", Sampling()),
        ("greedy", None),
    ],
)
def test_text_is_read(text: str, expected: Sampling | None) -> None:
    """In any order, with either spelling of the names; a temperature that is not named is 1."""
    assert read_sampling(text) == expected


def test_equal_samplings_have_one_text() -> None:
    """Under which answers are kept: a top-p of 1 cuts nothing."""
    texts = ("temperature=0.70,top_p=1,top-k=50", "top-k=50,temperature=0.7")
    assert {Settings(sampling=text).sampling for text in texts} == {"temperature=0.7,top-k=50"}


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        (
            "temperature=0",
            "temperature 0 draws nothing, and is greedy decoding",
            "sampling=greedy, the default",
        ),
        ("top-k=1", "top-k 1 draws nothing, and is greedy decoding", "sampling=greedy, the default"),
        ("temperature=-1", "a temperature lies between 0.01 and 100", "sampling='temperature=0.7,top-p=0.9'"),
        ("top-p=1.2", "top-p is a probability above 0 and up to 1", "sampling='temperature=0.7,top-p=0.9'"),
        ("top-k=2.5", "top-k is a whole number", "sampling='temperature=0.7,top-k=50'"),
        ("temperature=warm", "temperature 'warm' is no number", "sampling='temperature=0.7,top-p=0.9'"),
        ("top-p=nan", "top-p 'nan' is no number", "sampling='temperature=0.7,top-p=0.9'"),
        ("temprature=0.7", "temperature is near", "sampling='temperature=0.7,top-p=0.9'; or"),
        (
            "0.7",
            "'0.7' is none of temperature=N, top-p=N, top-k=N",
            "sampling='temperature=0.7,top-p=0.9'; or",
        ),
        ("", "'' is none of temperature=N", "sampling='temperature=0.7,top-p=0.9'; or"),
        ("top-p=0.9,top-p=0.8", "top-p stands twice", "sampling='temperature=0.7,top-p=0.9'"),
    ],
)
def test_other_text_is_refused(text: str, problem: str, fix: str) -> None:
    """With what to type."""
    with pytest.raises(SettingsError) as refused:
        Settings(sampling=text)
    assert problem in refused.value.problem
    assert f"sampling={fix.partition('=')[2]}" in refused.value.fix


def test_number_of_samples() -> None:
    """One greedy response to each prompt, and four that are drawn, unless told otherwise."""
    drawn = Settings(sampling="temperature=1")

    assert (Settings().samples, drawn.samples) == (1, 4)
    assert (Settings().sample_numbers, drawn.sample_numbers) == ((None,), (1, 2, 3, 4))
    assert drawn.sampled == "temperature 1, 4 samples a prompt, seed 0"
    assert drawn.greedy == Settings()


@pytest.mark.parametrize("samples", [0, -1, 2.5, True, 100_000])
def test_impossible_numbers_of_samples_are_refused(samples: object) -> None:
    """By the name of the setting."""
    with pytest.raises(SettingsError, match="samples"):
        Settings(sampling="temperature=1", samples=samples)  # type: ignore[arg-type]


def test_greedy_samples_are_refused() -> None:
    """They would all be the same; and nobody may mistake them for a measure of chance."""
    with pytest.raises(SettingsError, match="all responses to a prompt would be the same") as refused:
        Settings(samples=4)
    assert "sampling='temperature=0.7,top-p=0.9'" in refused.value.fix
