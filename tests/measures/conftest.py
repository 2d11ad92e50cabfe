"""Responses made up for a test: a measure needs no more of a probe than these."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from lengthprobe.margins import AlphaShares
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import Prompt, Response


@dataclass(frozen=True)
class Answered:
    """A probe that has answered, each prompt about a topic of its own."""

    given: tuple[Response, ...]
    name: str = "model"
    settings: Settings = field(default_factory=Settings)
    alpha_shares: AlphaShares = field(default_factory=AlphaShares)

    def responses(self, language):
        """The responses in a language."""
        return tuple(one for one in self.given if one.prompt.language == language)

    def under(self, counter):
        """The same responses, counted otherwise."""
        return replace(self, settings=replace(self.settings, counter=counter))


@pytest.fixture
def answered():
    """Return a function that makes a probe from pairs of N and a response, or of N and its words."""

    def probe(*pairs, language="en", cut_off=()):
        given = []
        for place, (n_words, written) in enumerate(pairs):
            text = written if isinstance(written, str) else " ".join(["word"] * written)
            prompt = Prompt(
                f"p{place}", language, n_words, f"t{place}", "imperative", f"Write {n_words} words"
            )
            reason = "length" if place in cut_off else "stop"
            given.append(Response(prompt, (), text, reason))
        return Answered(tuple(given))

    return probe


@pytest.fixture
def values():
    """Return a function that gives the value of each prompt, in order."""
    return lambda estimate: [one.value for one in estimate.observations]
