"""The digest of a question: another one where the answer may differ, and there only."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from lengthprobe.asking.keys import question_key
from lengthprobe.asking.questions import Force, Question, Write
from lengthprobe.attribution.forced import Forced
from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.components.names import Ablation, Component
from lengthprobe.settings import CHANGE_NO_ANSWER, Settings
from lengthprobe.task.prompts import prompts

ASKED = {"question": 1}
PROMPTS = prompts("en", budget=2)
WHOLE = (Ablation(),) * len(PROMPTS)
TEXT = Forced(PROMPTS[0], (1, 2), "text", ended=True)


def _key(settings: Settings | None = None, source: str = "tiny-it", batch_size: int = 8) -> str:
    return question_key(resolve(source), settings or Settings(), batch_size, ASKED)


OTHERS: dict[str, Any] = {
    "cap": 9,
    "prompt_form": "plain",
    "system_prompt": "Be brief.",
    "thinking": "allow",
    "device_map": "cpu",
    "dtype": "bfloat16",
    "batch_size": 3,
    "allow_pickle": True,
    "allow_remote_code": True,
    "across_forms": True,
    "alpha": 0.01,
    "budget": 7,
    "counter": "whitespace",
    "languages": ("it",),
    "lengths": (3,),
    "seed": 9,
}


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_a_setting_is_part_of_the_key_unless_it_can_change_no_answer(name: str) -> None:
    """How a checkpoint is loaded and asked is; which prompts are asked, and how they are read, is not."""
    changed = replace(Settings(), **{name: OTHERS[name]})
    assert (_key(changed) == _key()) is (name in CHANGE_NO_ANSWER)


def test_settings_that_change_no_answer_are_settings() -> None:
    """A name that is misspelt would let two questions share an answer, or none."""
    assert {field.name for field in fields(Settings)} == set(OTHERS) >= CHANGE_NO_ANSWER


def test_checkpoint_and_batch_size() -> None:
    """Another checkpoint, another revision, another place on disk, another batch: another question."""
    source = resolve("tiny-it")
    others = [replace(source, revision="abc"), replace(source, path=Path("/elsewhere/tiny-it"))]
    keys = {question_key(other, Settings(), 8, ASKED) for other in others}
    keys |= {_key(), _key(source="tiny-base"), _key(batch_size=9)}
    assert len(keys) == 5


def test_files_that_were_written_anew() -> None:
    """Another model under the same name is asked for itself."""
    keys = {question_key(resolve("tiny-it"), Settings(), 8, ASKED, stamp) for stamp in ("one", "other")}
    assert len(keys) == 2


def test_questions_are_told_apart() -> None:
    """The same prompts with and without attributions or parts, and forced texts, are different questions."""
    cut = Ablation(zero=(Component(1, 0),))
    asked: list[Question[Any]] = [
        Write(PROMPTS, WHOLE),
        Write(PROMPTS, WHOLE, traces=True),
        Write(PROMPTS[:1], WHOLE[:1], traces=True),
        Write(PROMPTS, (cut, *WHOLE[1:]), traces=True),
        Force((TEXT,), Ablation(), "token"),
        Force((TEXT,), Ablation(), "stop_margin"),
        Force((TEXT,), cut, "token"),
    ]
    keys = {question_key(resolve("tiny-it"), Settings(), 8, one.content(Settings())) for one in asked}
    assert len(keys) == len(asked)


@pytest.mark.parametrize("traces", [False, True])
def test_counter_decides_adherence_only(traces: bool) -> None:
    """The word counter changes no response, but which of its tokens adhere."""
    asked = [
        Write(PROMPTS, WHOLE, traces=traces).content(Settings(counter=counter))
        for counter in ("uax29", "whitespace")
    ]
    assert (asked[0] != asked[1]) is traces


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": PROMPTS[1]},
        {"token_ids": (1, 3)},
        {"text": None},
        {"ended": False},
        {"last_only": True},
        {"opened": True},
    ],
    ids=str,
)
def test_forced_texts(change: dict[str, Any]) -> None:
    """Everything about a forced text is part of the question."""
    one, other = (
        Force((text,), Ablation(), "token").content(Settings()) for text in (TEXT, replace(TEXT, **change))
    )
    assert one != other


def _with_words(words: str | None, settings: Settings | None = None) -> Any:
    return Write(PROMPTS, WHOLE, words=words).content(settings or Settings())


def test_words_are_part_of_the_question() -> None:
    """So are the prompts whose answers they are taken from; without words those decide nothing."""
    settings = (Settings(lengths=(3, 4)), Settings(budget=7), Settings(seed=9))
    asked = [_with_words(words) for words in (None, "one-token", "several-token")]
    asked += [_with_words("one-token", one) for one in settings]
    assert all(one not in asked[:at] for at, one in enumerate(asked))
    assert all(_with_words(None, one) == _with_words(None) for one in settings)
