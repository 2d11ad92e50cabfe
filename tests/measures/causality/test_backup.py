"""Backups are found and told, on a model that was trained to have some and on one that was not."""

from __future__ import annotations

import pytest

from lengthprobe import load
from lengthprobe.components.names import Ablation
from lengthprobe.measures import (
    backup_components,
    backup_effect,
    compensation,
    cwa,
    leading_components,
    redundancy,
)
from lengthprobe.measures.causality.exact_answers import test_prompts as prompts_on_test_topics
from lengthprobe.task.words import count_words

# Of the heads that were trained to take over, those of the last layer, which can tell that others are gone.
BACKUPS = ["L4H1", "L4H3"]


@pytest.fixture(scope="module")
def backed():
    """backup-heads, after 40 prompts a language."""
    made = load("backup-heads", budget=80, cap=30, device_map="cpu")
    made.prepare(["en"], traces=True)
    return made


@pytest.fixture(scope="module")
def plain():
    """tiny-it, after 40 prompts a language."""
    made = load("tiny-it", budget=80, cap=30, device_map="cpu")
    made.prepare(["en"], traces=True)
    return made


def test_backups_are_found(backed):
    """The heads that take over are those whose CWA rises most."""
    assert {one.name for one in leading_components(backed, language="en")} == {"L3H0", "L3H2", "L4H0", "L4H2"}
    assert sorted(one.name for one in backup_components(backed, language="en")[:2]) == BACKUPS


def test_effect_of_backups(backed):
    """Either group alone costs nothing, and both cost some of it."""
    assert backup_effect(backed, language="en") > 0


def test_no_effect_without_backups(plain):
    """What costs all alone costs no more with others."""
    assert backup_effect(plain, language="en").mean <= 0


def test_redundancy_is_the_whole_less_its_members(plain):
    """By hand, of answers counted apart: what all four cost, less the sum of what each costs."""
    leading = leading_components(plain, language="en")
    prompts = prompts_on_test_topics(plain, "en")

    def exact(*components):
        answers = plain.under([(prompt, Ablation(zero=components)) for prompt in prompts])
        counts = [count_words(one.text, language="en") for one in answers]
        right = [
            one.finish_reason == "stop" and n == one.prompt.n_words
            for one, n in zip(answers, counts, strict=True)
        ]
        return sum(right) / len(right)

    whole = exact()
    alone = sum(whole - exact(one) for one in leading)
    found = redundancy(plain, language="en")
    assert found.mean == pytest.approx((whole - exact(*leading)) - alone)
    assert found.name == "redundancy(tiny-it, en)"
    # L4H0 alone costs all there is to lose.
    assert found.mean < 0


def test_redundancy_of_one_is_nothing(plain):
    """One component has nobody to stand in for it."""
    assert redundancy(plain, language="en", k=1).mean == 0


def test_compensation_can_be_shown_after_its_block(plain):
    """A comparison that fails is told with the controls of either side, though the block has ended."""
    told = str(compensation(plain, language="en") > 1000)
    assert told.startswith("broken")
    assert "controls: " in told


def test_compensation_is_a_difference_by_prompt(plain):
    """The final MLP's CWA with the leading heads cut, less that of the whole model, on the latter's text."""
    with plain.ablated(leading_components(plain, language="en")) as cut:
        without = cwa(cut, component="final MLP", language="en", text_of=plain).mean
    expected = without - cwa(plain, component="final MLP", language="en").mean
    assert compensation(plain, language="en").mean == pytest.approx(expected)
