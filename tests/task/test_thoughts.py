"""Thoughts: told from the answer by their marks, in any of the ways that models write them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lengthprobe.settings import COUNTERS
from lengthprobe.task import thoughts
from lengthprobe.task.thoughts import answer_of, leaves_open, part_thoughts, special_marks
from lengthprobe.task.words import count_words, count_words_of_part

SAID = "Waves sing softly"
THOUGHT = [
    f"<think>\n\n</think>\n\n{SAID}",
    f"<think>\nThree words about waves.\n</think>\n\n{SAID}",
    f"\n<think>Three words.</think>{SAID}",
    # The prompt had opened the thought.
    f"Three words about waves.\n</think>\n\n{SAID}",
    f"<think>First.</think>\n<think>Then.</think>\n{SAID}",
    "<think>First.</think>Waves<think>and then</think>sing softly",
    # A thought that speaks of its mark, closed once for both or for each.
    f"<think>I close <think> with a tag.</think>{SAID}",
    f"<think>I <think>hard</think> now.</think>{SAID}",
    f"<think>First.</think>{SAID}</think>",
    f"<THINK>Three.</THINK> {SAID}",
    f"<thinking>Three.</thinking>\n\n{SAID}",
    f"<thought>Three.</thought>{SAID}",
    f"<reasoning>Three.</reasoning>\n<answer>{SAID}</answer>",
    f"<seed:think>Three.</seed:think>{SAID}",
    f"<think/>{SAID}",
    f"[THINK]Three.[/THINK]{SAID}",
    f"◁think▷Three.◁/think▷{SAID}",
    f"<|thinking|>Three.<|/thinking|>{SAID}",
    f"<|START_THINKING|>Three.<|END_THINKING|><|START_RESPONSE|>{SAID}<|END_RESPONSE|>",
    f"<|begin_of_thought|>Three.<|end_of_thought|>\n<|begin_of_solution|>{SAID}<|end_of_solution|>",
    f"<|channel|>analysis<|message|>Three.<|end|><|start|>assistant<|channel|>final<|message|>{SAID}",
    f"<|channel|>final<|message|>{SAID}",
    f"analysisThree words.assistantfinal{SAID}",
    # A thought that the prompt had opened, which begins with a word that elsewhere begins a mark.
    f"analysis of three words</think>{SAID}",
    f"<think mode='fast'>Three.</think>{SAID}",
    f"<|channel>thought\nThree.\n<channel|>{SAID}",
]
ANSWERS = [
    "I think waves sing",
    "Think before waves sing",
    "Write <think> before you answer",
    "analysis of the waves",
    "[think] waves sing",
    "Waves sing<|end|>",
    "The final answer: 3 < 4",
    "<b>Waves</b> sing",
    "<answer>Waves sing</answer>",
    "<thoughts on waves>\nWaves sing",
    "< think > waves sing",
    "Waves <3 you, a < b, [note] and ◁ sing",
    "Analysis of waves <b>first</b>",
    "",
]
# Each is no mark, nor part of one where a space stands between.
PIECES = (
    *("think", "Thought", "<3", "<", ">", "a < b", "[note]", "[think]", "◁", "analysis", "final", "</b>"),
    *("<b>", ":", "(", "l'uomo", "città", "中文", "\n", "don't", "3.14", "🌊", "e\u0301"),
)
UNFINISHED = [
    "<think>\nThree words",
    "[THINK]",
    "<think>First.</think>\n<think>Then",
    "<|START_THINKING|>Three",
]


@pytest.mark.parametrize("counter", ["uax29", "whitespace", "italian_elision"])
@pytest.mark.parametrize("text", THOUGHT)
def test_words_of_a_thought_are_not_counted(text, counter):
    """What stands around the thought has three words, under every counter."""
    assert count_words(text, counter=counter) == 3


@pytest.mark.parametrize("text", THOUGHT)
def test_answer_is_what_stands_around_the_thought(text):
    """No mark is left of it, and no words are fused."""
    assert answer_of(text).split() == SAID.split()
    assert not part_thoughts(text).unfinished


@pytest.mark.parametrize("text", ANSWERS)
def test_ordinary_answer_stays_whole(text):
    """A word such as "think" is no mark, nor is a mark that nobody closes within a line."""
    assert answer_of(text) == text
    assert not part_thoughts(text).unfinished


@given(st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_text_without_marks_keeps_its_words(text):
    """Every counter counts what it counted before thoughts were known, and the text stays the same."""
    assert answer_of(text) == text
    for counter in COUNTERS:
        assert count_words(text, counter=counter) == count_words_of_part(text, counter=counter)


def test_text_without_marks_is_not_scanned(monkeypatch):
    """An ordinary answer takes no time for thoughts."""
    monkeypatch.setattr(thoughts, "_scanned", None)

    assert count_words("I think waves sing (softly)") == 5


@pytest.mark.parametrize("text", UNFINISHED)
def test_unfinished_thought_has_no_answer(text):
    """The text ends before its thought does."""
    assert (part_thoughts(text).answer, part_thoughts(text).unfinished) == ("", True)


def test_thought_that_the_prompt_opened():
    """Without any mark in the text, all of it is the thought."""
    assert part_thoughts("Three words about", opened=True).unfinished
    assert part_thoughts("Three.</think>Waves sing", opened=True).answer == "Waves sing"
    assert not part_thoughts("Waves sing").unfinished


def test_thought_that_begins_after_an_answer():
    """An answer was given, so that nothing is unfinished."""
    found = part_thoughts("Waves sing\n<think>Was that")

    assert (found.answer.strip(), found.unfinished) == ("Waves sing", False)


@pytest.mark.parametrize(
    ("prompt", "opens"),
    [
        ("<|im_end|>\n<|im_start|>assistant\n<think>\n", True),
        ("<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n", False),
        ("<|im_end|>\n<|im_start|>assistant\n", False),
        ("<|start|>assistant", False),
        ("<｜Assistant｜></think>", False),
    ],
)
def test_end_of_a_prompt_opens_a_thought(prompt, opens):
    """Where it does not close the thought itself."""
    assert leaves_open(prompt) == opens


def test_special_tokens_that_mark_a_thought():
    """Those of channels only where there are channels: other templates end a turn with <|end|>."""
    assert special_marks(["<s>", "[THINK]", "[/THINK]", "<|end|>"]) == {"[THINK]", "[/THINK]"}
    assert special_marks(["<|channel|>", "<|message|>", "<|end|>", "<|return|>"]) == {
        "<|channel|>",
        "<|message|>",
        "<|end|>",
    }


@pytest.mark.parametrize("end", ["", "x<think>", "\n<think>"])
@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<think>",
            "<think ",
            "</think>",
            "<",
            "<think>a</think> ",
            "<|",
            "[THINK]",
            "<think/>",
            "</answer>",
        ),
        *(
            "<|channel|>analysis",
            "<|start|>assistant ",
            "analysis<",
            "<think a=",
            "\n ",
            " ",
            "< ",
            "assistantfinal",
        ),
    ],
)
def test_long_text_takes_linear_time(piece, end):
    """Of hostile text eight times as much takes some eight times as long, and not 64 times."""
    times = []
    for n_characters in (25_000, 200_000):
        text = "<" + piece * (n_characters // len(piece)) + end
        start = time.process_time()
        assert part_thoughts(text).text == text
        times.append(time.process_time() - start)

    assert times[1] < 24 * times[0] + 0.05
