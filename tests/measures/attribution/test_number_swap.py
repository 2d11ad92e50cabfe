"""The number swap: equal to two forced passes by hand, and 0 for a component that ignores the number."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from lengthprobe.attribution import direct_logit_attribution
from lengthprobe.attribution.trace import Contributions, ForcedTrace
from lengthprobe.checkpoints.chat.template import chat_text
from lengthprobe.measures import number_swap, share
from lengthprobe.task.adherence import Adherence
from lengthprobe.task.languages import load_language
from lengthprobe.task.prompts import prompts
from tests.measures.attributed import HEADS, LAYERS, attributed


def swapped_by_hand(prompt):
    """The prompt's text with another number in place of its own."""
    numbers = load_language(prompt.language).numbers
    if re.search(r"\d", prompt.text):
        return re.sub(r"\d+", str(prompt.n_words + 2), prompt.text)
    spelled = numbers[prompt.n_words]
    pattern = re.compile(rf"\b{spelled}\b", re.IGNORECASE)
    assert len(pattern.findall(prompt.text)) == 1
    return pattern.sub(numbers[prompt.n_words + 2], prompt.text)


def stop_margin_by_hand(probe, one, text):
    """The attribution of the stop margin after the response's words, in one row and without padding."""
    checkpoint, prompt = probe.checkpoint, one.response.prompt
    asked = chat_text(checkpoint, prompt, probe.settings).replace(prompt.text, text)
    ids = checkpoint.tokenizer(asked, add_special_tokens=False)["input_ids"]
    row = torch.tensor([[*ids, *one.response.token_ids, checkpoint.end_token_ids[0]]])
    found = direct_logit_attribution(
        checkpoint.model,
        row,
        torch.ones_like(row),
        row.shape[1] - 1,
        target="stop_margin",
        end_token_ids=checkpoint.end_token_ids,
    )
    return found.heads[0, 0].numpy(), found.mlps[0, 0].numpy()


@pytest.mark.parametrize("language", ["en", "it"])
def test_a_model_that_is_run(tiny_it, values, language):
    """After an exact response's last word: the stop margin under its own prompt less that under the other."""
    every = tiny_it.traces(language)[:4]
    # tiny-it writes nothing after the last word, so that the place is the end of the response.
    assert all(one.adherence.counts[-1] == one.response.prompt.n_words for one in every)
    late, early, final = [], [], []
    for one in every:
        heads, mlps = stop_margin_by_hand(tiny_it, one, one.response.prompt.text)
        other_heads, other_mlps = stop_margin_by_hand(tiny_it, one, swapped_by_hand(one.response.prompt))
        late.append((heads - other_heads)[3:].sum())
        early.append(2 * (heads - other_heads)[0].sum())  # as if there were as many of them as late ones
        final.append((mlps - other_mlps)[4])
    for component, expected in (("late heads", late), ("early heads", early), ("final MLP", final)):
        found = number_swap(tiny_it, component=component, language=language)
        assert values(found)[:4] == pytest.approx(expected, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(("language", "component"), [("en", "late heads"), ("it", "final MLP")])
def test_a_component_that_reads_the_number(tiny_it, language, component):
    """What was planted in the fixture model is found: late heads in English, the final MLP in Italian."""
    assert (share(number_swap(tiny_it, component=component, language=language)) > 0.02).status == "holds"


def answering(head=lambda _prompt: 0.0):
    """What a model gives to each text: every head the same, by the prompt."""

    def answer(text):
        assert text.last_only
        value = np.float32(head(text.prompt))
        return ForcedTrace(
            Contributions(
                heads=np.full((1, LAYERS, HEADS), value, np.float32),
                mlps=np.full((1, LAYERS), 2 * value, np.float32),
                embedding=np.zeros(1, np.float32),
                biases=np.zeros(1, np.float32),
                logits=np.zeros(1, np.float32),
            ),
            None,
        )

    return answer


@pytest.fixture
def real_prompts():
    """Return a function that gives a made-up probe prompts of the stream, whose number can be swapped."""

    def probe(*pairs, answer, cut_off=()):
        made = attributed(*pairs, cut_off=cut_off, answer=answer)
        stream = prompts("en", lengths=sorted({n for n, _ in pairs}), budget=60)
        left = list(stream)
        every = []
        for one in made.every:
            prompt = next(each for each in left if each.n_words == one.response.prompt.n_words)
            left.remove(prompt)
            every.append(replace(one, response=replace(one.response, prompt=prompt)))
        return replace(made, every=tuple(every))

    return probe


def test_own_less_other(real_prompts, values):
    """A head that gives N to the stop: N less N + 2, for each of the two late layers' two heads."""
    probe = real_prompts((3, 3), (4, 4), answer=answering(lambda prompt: prompt.n_words))
    assert values(number_swap(probe, component="late heads", language="en")) == [-2 * 4, -2 * 4]
    assert values(number_swap(probe, component="final MLP", language="en")) == [-2 * 2, -2 * 2]


def test_only_the_number_differs(real_prompts):
    """The same words are forced under both prompts, up to where N of them are complete."""
    probe = real_prompts((3, 3), (3, 5), answer=answering())
    number_swap(probe, component="late heads", language="en")
    ((target, texts),) = probe.asked
    own, other = texts[:2], texts[2:]
    assert target == "stop_margin"
    # Two tokens a word: six for three words, of the second response too.
    assert [one.token_ids for one in own] == [one.token_ids for one in other] == [tuple(range(6))] * 2
    assert [one.prompt for one in own] == [one.response.prompt for one in probe.every]
    for one, swapped in zip(own, other, strict=True):
        assert (swapped.prompt.n_words, swapped.prompt.topic) == (5, one.prompt.topic)
        assert swapped.prompt.text == swapped_by_hand(one.prompt)


def test_a_number_without_a_word(real_prompts, values):
    """Where N + 2 has no word in the language the prompt is asked for N − 2, and digits for N + 2."""
    highest = max(load_language("en").numbers)
    probe = real_prompts(*[(highest, highest)] * 4, answer=answering(lambda prompt: prompt.n_words))
    spelled = [not re.search(r"\d", one.response.prompt.text) for one in probe.every]
    assert len(set(spelled)) == 2
    found = values(number_swap(probe, component="late heads", language="en"))
    assert found == [4 * (2 if word else -2) for word in spelled]


def test_a_component_that_ignores_the_number(real_prompts, values):
    """It gives the same under both prompts, so nothing."""
    probe = real_prompts((3, 3), (4, 4), answer=answering(lambda _prompt: 7.0))
    assert values(number_swap(probe, component="late heads", language="en")) == [0, 0]


def test_responses_that_never_have_n_words_are_left_out(real_prompts):
    """Too short, and cut off before the last word was known to be complete."""
    probe = real_prompts((3, 2), (3, 3), (3, 3), (3, 5), answer=answering(), cut_off=[1])
    found = number_swap(probe, component="late heads", language="en")
    assert [one.prompt_id for one in found.observations] == [
        probe.every[place].response.prompt.id for place in (2, 3)
    ]
    assert "asked 3, wrote 5: " in found.observations[1].note


def test_the_place_is_after_the_punctuation(real_prompts):
    """Words and marks are forced: a full stop that is to follow is no reason to go on."""
    probe = real_prompts((3, 3), answer=answering())
    (one,) = probe.every
    # Two tokens a word and a full stop: the words could end before the mark and after it.
    counts = Adherence(
        (1, 1, 2, 2, 3, 3, 3, 3), (False, False, True, False, True, False, True, True), ended=True
    )
    response = replace(one.response, token_ids=tuple(range(7)))
    dotted = replace(probe, every=(replace(one, response=response, adherence=counts),))
    number_swap(dotted, component="late heads", language="en")
    assert dotted.asked[0][1][0].token_ids == tuple(range(7))


def test_share_is_of_what_is_said_for_the_stop(real_prompts):
    """The whole is all that the components say under the response's own prompt, not the difference."""
    probe = real_prompts((3, 3), (4, 4), answer=answering(lambda prompt: prompt.n_words))
    # 5 layers of 2 heads that give N each, and of an MLP that gives 2 N; N is 3.5 on average.
    whole = 5 * (2 * 3.5 + 2 * 3.5)
    assert share(number_swap(probe, component="late heads", language="en")).mean == pytest.approx(
        -2 * 4 / whole
    )


@pytest.mark.parametrize(("short", "status"), [(2, "holds"), (4, "undecided")])
def test_few_responses_with_such_a_place_decide_nothing(real_prompts, short, status):
    """Where more than one in five never has N words, the others would be a choice among them."""
    noise = iter(range(100))
    probe = real_prompts(
        *[(3, 2)] * short,
        *[(3, 3)] * (14 - short),
        answer=answering(lambda prompt: -prompt.n_words + 0.01 * (next(noise) % 3)),
    )
    verdict = number_swap(probe, component="late heads", language="en") > 0
    assert verdict.status == status
    assert ("only 10 of 14 responses have the place that is measured" in verdict.reason) is (short == 4)


def test_early_components_are_told_with_a_claim_that_failed(tiny_it):
    """Beside the late ones, as a control."""
    found = number_swap(tiny_it, component="late heads", language="en")
    (background,) = found.background
    told = background.controls()
    assert list(told) == ["early layers' heads", "early layers' MLPs"]
    early = number_swap(tiny_it, component="early heads", language="en")
    assert told["early layers' heads"] == pytest.approx(early.mean)


def test_no_response_has_n_words(real_prompts):
    """Nothing is decided where there is no place to ask about."""
    probe = real_prompts((9, 2), (9, 3), answer=answering())
    found = number_swap(probe, component="late heads", language="en")
    assert (found.n, (share(found) > 0.02).status) == (0, "undecided")


def test_all_components_are_of_the_same_texts(real_prompts):
    """Every group asks about the same texts, so that a probe forces them once."""
    probe = real_prompts((3, 3), (4, 4), answer=answering())
    for component in ("late heads", "early heads", "final MLP"):
        number_swap(probe, component=component, language="en")
    first, *others = probe.asked
    assert others == [first, first]
