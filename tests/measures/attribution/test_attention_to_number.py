"""Attention to the number: equal to the patterns that transformers gives away, in both orders."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
import torch

from lengthprobe import load
from lengthprobe.checkpoints.chat.template import chat_text
from lengthprobe.components.names import Component
from lengthprobe.errors import ModelError, SettingsError
from lengthprobe.measures import attention_share_of_distractor, attention_share_of_number, attention_to_number
from lengthprobe.measures.attribution.attention_to_number import word_boundaries
from lengthprobe.task.adherence import Adherence
from lengthprobe.task.distractor import distracted_prompt
from lengthprobe.task.prompts import prompts
from tests.measures.attributed import attributed


def shares_by_hand(probe, one, heads, before):
    """The mean share of N's tokens and of the other number's, with eager attention, in one row."""
    checkpoint = probe.checkpoint
    both = distracted_prompt(one.response.prompt, probe.settings.lengths, before=before)
    text = chat_text(checkpoint, both.prompt, probe.settings)
    start = text.index(both.prompt.text)
    encoded = checkpoint.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    row = torch.tensor([[*encoded["input_ids"], *one.response.token_ids]])
    model = checkpoint.model
    model.set_attn_implementation("eager")
    with torch.no_grad():
        patterns = model(input_ids=row, output_attentions=True, use_cache=False).attentions
    model.set_attn_implementation(checkpoint.attention)
    # tiny-it ends after the last word; a space follows every other one, its own token or part of the next.
    said = [checkpoint.decode([token]) for token in one.response.token_ids]
    words = [
        at
        for at in range(1, len(said))
        if said[at].strip() and (said[at].startswith(" ") or not said[at - 1].strip())
    ]
    words = [*words, len(said)]
    found = []
    for first, last in (both.number[0], both.distractor):
        tokens = [
            at
            for at, (begin, end) in enumerate(encoded["offset_mapping"])
            if begin < start + last and end > start + first
        ]
        found.append(
            fmean(
                float(patterns[head.layer][0, head.head, len(encoded["input_ids"]) - 1 + step, tokens].sum())
                for step in words
                for head in heads
            )
        )
    return np.array(found), len(words)


@pytest.mark.parametrize("language", ["en", "it"])
def test_a_model_that_is_run(tiny_it, values, language):
    """A response's value is the mean over its words, the heads, and the two orders."""
    heads = (Component(3, 0), Component(4, 1), Component(4, 2))
    expected = []
    for one in tiny_it.traces(language)[:4]:
        shares, words = zip(
            *(shares_by_hand(tiny_it, one, heads, before) for before in (True, False)), strict=True
        )
        assert set(words) == {one.response.prompt.n_words}
        expected.append(np.mean(shares, axis=0))
    number, distractor = np.array(expected).T
    for measure, wanted in (
        (attention_share_of_number, number),
        (attention_share_of_distractor, distractor),
        (attention_to_number, number - distractor),
    ):
        found = measure(tiny_it, language=language, heads=heads)
        assert values(found)[:4] == pytest.approx(wanted.tolist(), abs=1e-4)
        assert (found.unit, found.n) == ("share", 20)


def test_heads_by_name(tiny_it):
    """By name or as components, in whatever order; many are told in few words."""
    by_name = attention_to_number(tiny_it, language="en", heads="L4H0, L3H*")
    chosen = [Component(4, 0), *(Component(3, head) for head in range(4))]
    found = attention_to_number(tiny_it, language="en", heads=chosen)
    assert found.mean == by_name.mean
    assert found.name == "attention_to_number[L3H0, L3H1, L3H2, L3H3 and 1 more](tiny-it, en)"


@pytest.mark.parametrize(
    ("heads", "problem"), [("MLP4", "MLP4 is no head"), ("L9H0", "not in tiny-it"), ([], "no component")]
)
def test_what_is_no_head(tiny_it, heads, problem):
    """Is refused."""
    with pytest.raises(SettingsError, match=problem):
        attention_to_number(tiny_it, language="en", heads=heads)


def test_planted_heads_look_at_the_number(tiny_it):
    """Of the last layer's heads, those in which English was planted look at N, not at any number."""
    planted = attention_to_number(tiny_it, language="en", heads=["L4H0", "L4H2"])
    others = attention_to_number(tiny_it, language="en", heads=["L4H1", "L4H3"])
    assert planted.mean > 0.01 > others.mean


def test_one_boundary_a_word():
    """The last step at which a word is complete, be there punctuation after it; none after a cut."""
    # "Big", ",", " cats", ".", end
    ended = Adherence((1, 1, 2, 2, 2), (False, True, True, True, True), ended=True)
    assert word_boundaries(ended) == (2, 4)
    # "un", "do", " it" and the cap
    cut = Adherence((1, 1, 2), (False, False, True), ended=False)
    assert word_boundaries(cut) == (2,)
    # "!", "?", end
    assert word_boundaries(Adherence((0, 0, 0), (False, False, False), ended=True)) == ()


def attentive(*pairs, answer):
    """A made-up probe whose heads give what `answer` says of each look."""
    made = attributed(*pairs)
    left = list(prompts("en", budget=100))
    every = []
    for one in made.every:
        prompt = next(each for each in left if each.n_words == one.response.prompt.n_words)
        left.remove(prompt)
        every.append(replace(one, response=replace(one.response, prompt=prompt)))

    class Attentive(type(made)):
        """With heads that can be asked."""

        def heads(self, names):
            """The names, as they are."""
            return tuple(names)

        def attention(self, looks, heads):
            """What was made up."""
            return [np.full((len(one.steps), len(heads), 2), answer(one), np.float32) for one in looks]

    return Attentive(tuple(every))


def test_orders_count_alike(values):
    """A head that looks at whichever number is the nearer one gives N no more than the other."""

    def nearer(look):
        (number,), (distractor,) = look.targets
        return (0.8, 0.1) if number > distractor else (0.1, 0.8)

    probe = attentive((3, 3), (5, 5), answer=nearer)
    found = attention_to_number(probe, language="en", heads=[Component(0, 0)])
    assert values(found) == pytest.approx([0.0, 0.0], abs=1e-6)
    share = attention_share_of_number(probe, language="en", heads=[Component(0, 0)])
    assert values(share) == pytest.approx([0.45, 0.45])


def test_responses_without_a_word_are_left_out():
    """There is no place to look from; where there is none at all nothing is known."""
    probe = attentive((3, 3), (5, 0), (4, 2), answer=lambda _look: (0.5, 0.1))
    assert attention_to_number(probe, language="en", heads=[Component(0, 0)]).n == 2
    none = attentive((5, 0), answer=lambda _look: (0.5, 0.1))
    found = attention_to_number(none, language="en", heads=[Component(0, 0)])
    assert (found.n, (found > 0.1).status) == (0, "undecided")


def test_ablated_probe_is_refused():
    """Where its heads look is another question."""
    probe = load("tiny-it", budget=8, device_map="cpu")
    with probe.ablated("L3H0") as ablated, pytest.raises(SettingsError, match="of the whole model only"):
        attention_to_number(ablated, language="en", heads="L4H0")


def test_model_without_known_components(tiny_it, monkeypatch):
    """Is told as for every measure of components."""
    problem = ModelError("no architecture is known", "use another")
    monkeypatch.setattr(type(tiny_it), "proof", replace(tiny_it.proof, problem=problem))
    with pytest.raises(ModelError, match="no architecture is known"):
        attention_to_number(tiny_it, language="en", heads="L4H0")
