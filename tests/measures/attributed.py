"""Attributions made up for a test: a measure of mechanism needs no more of a probe than these."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from lengthprobe.asking.answers import Traced
from lengthprobe.attribution.trace import Contributions, Trace
from lengthprobe.margins import AlphaShares
from lengthprobe.settings import Settings
from lengthprobe.task.adherence import Adherence
from lengthprobe.task.prompts import Prompt, Response

LAYERS, HEADS = 5, 2


@dataclass(frozen=True)
class Attributed:
    """A probe that has answered and been traced; what it gives to forced texts is made up by a function."""

    every: tuple[Traced, ...]
    name: str = "model"
    settings: Settings = field(default_factory=Settings)
    alpha_shares: AlphaShares = field(default_factory=AlphaShares)
    answer: object = None
    asked: list = field(default_factory=list)
    # Of made-up answers no control is presupposed.
    role: str = "base"

    def responses(self, language):
        """The responses in a language."""
        return tuple(one.response for one in self.traces(language))

    def traces(self, language):
        """The attributions in a language."""
        return tuple(one for one in self.every if one.response.prompt.language == language)

    def forced(self, texts, *, target):
        """What `answer` makes of each text; the texts are remembered."""
        self.asked.append((target, tuple(texts)))
        return [self.answer(text) for text in texts]


def contributions(steps, seed):
    """Random contributions over so many steps."""
    draw = np.random.default_rng(seed)
    heads = draw.normal(size=(steps, LAYERS, HEADS)).astype(np.float32)
    mlps = draw.normal(size=(steps, LAYERS)).astype(np.float32)
    embedding, biases, logits = draw.normal(size=(3, steps)).astype(np.float32)
    return Contributions(heads, mlps, embedding, biases, logits)


def two_token_words(words, ended):
    """The adherence of so many words of two tokens each; a word is complete before the next one begins."""
    steps = 2 * words + ended
    counts = tuple(min(at // 2 + 1, words) for at in range(steps))
    return Adherence(counts, tuple(at > 0 and at % 2 == 0 for at in range(steps)), ended)


def attributed(*pairs, language="en", cut_off=(), answer=None, name="model"):
    """A probe from pairs of N and the number of words written, each about a topic of its own."""
    every = []
    for place, (n_words, words) in enumerate(pairs):
        prompt = Prompt(f"p{place}", language, n_words, f"t{place}", "imperative", f"Write {n_words} words")
        ended = place not in cut_off
        response = Response(
            prompt,
            tuple(range(2 * words)),
            " ".join(["word"] * words),
            "stop" if ended else "length",
        )
        adherence = two_token_words(words, ended)
        steps = len(adherence.counts)
        trace = Trace(contributions(steps, place), contributions(steps, 1000 + place))
        every.append(Traced(response, trace, adherence))
    return Attributed(tuple(every), name=name, answer=answer)


def signs_by_hand(one, n_words, counts):
    """METHODS §3: a token adheres where at most N words stand after it, the end token where exactly N do."""
    signs = []
    for step, count in enumerate(counts):
        is_end = step == len(one.response.token_ids)
        adheres = count == n_words if is_end else count <= n_words
        signs.append(1 if adheres else -1)
    return signs


def late_heads_by_hand(one, signs, layers=(3, 4)):
    """Σ_t s_t · Σ over the heads of some layers."""
    total = 0.0
    for step, sign in enumerate(signs):
        for layer in layers:
            for value in one.trace.token.heads[step, layer]:
                total += sign * float(value)
    return total
