"""The digest of a question: another one where the answer may differ, and there only."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from lengthprobe.asking.keys import question_key, respondent_of
from lengthprobe.asking.questions import Force, Question, Write
from lengthprobe.attribution.forced_text import Forced
from lengthprobe.checkpoints.held import Held
from lengthprobe.components.names import Ablation, Component
from lengthprobe.settings import CHANGE_NO_ANSWER, Settings
from lengthprobe.task.prompts import prompts

ASKED = {"question": 1}
PROMPTS = prompts("en", budget=2)
WHOLE = (Ablation(),) * len(PROMPTS)
TEXT = Forced(PROMPTS[0], (1, 2), "text", ended=True)


def _key(settings: Settings) -> str:
    return question_key({"checkpoint": "digest"}, settings, ASKED)


def _respondent(name: str | Path, **settings: Any) -> dict[str, Any]:
    return respondent_of(Held(str(name), Settings(**{"device_map": "cpu"} | settings)))


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
    "early_looks": (5,),
    "budget": 7,
    "counter": "whitespace",
    "languages": ("it",),
    "lengths": (3,),
    "seed": 9,
    "sampling": "temperature=0.7",
    "samples": 1,
}


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_a_setting_is_part_of_the_key_unless_it_can_change_no_answer(name: str) -> None:
    """How a checkpoint is loaded and asked is; which prompts are asked, and how they are read, is not."""
    changed = replace(Settings(), **{name: OTHERS[name]})
    assert (_key(changed) == _key(Settings())) is (name in CHANGE_NO_ANSWER)


def test_settings_that_change_no_answer_are_settings() -> None:
    """A name that is misspelt would let two questions share an answer, or none."""
    assert {field.name for field in fields(Settings)} == set(OTHERS) >= CHANGE_NO_ANSWER


def test_a_copy_answers_as_the_original(copy_of: Callable[..., Path], tmp_path: Path) -> None:
    """Under whatever name and wherever it lies; what says nothing of its answers may differ."""
    original = copy_of()
    copy = shutil.copytree(original, tmp_path / "elsewhere")
    (copy / "README.md").write_text("A copy.")
    assert _respondent(copy) == _respondent(original)


def test_another_checkpoint_batch_or_format() -> None:
    """Each makes another question of the same words."""
    some = [_respondent("tiny-it"), _respondent("tiny-base"), _respondent("tiny-it", batch_size=9)]
    some += [_respondent("tiny-it", dtype="bfloat16")]
    assert len({question_key(one, Settings(), ASKED) for one in some}) == 4


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("config.json", '"rms_norm_eps"', '"rms_norm_eps" '),
        ("generation_config.json", "{", '{"temperature": 0.7,'),
        ("chat_template.jinja", "", "{# another #}"),
        ("tokenizer_config.json", "{", "{ "),
        ("modeling_own.py", "", "print()"),
    ],
)
def test_every_file_that_is_loaded_has_a_part(
    copy_of: Callable[..., Path], file: str, old: str, new: str
) -> None:
    """Written anew, the checkpoint of the same name is another; a config counts by what it says."""
    copy = copy_of()
    before = _respondent(copy)
    path = copy / file
    path.write_text((path.read_text() if path.exists() else "").replace(old, new, 1))
    assert (_respondent(copy) == before) is (file == "config.json")


def test_weights_have_a_part(copy_of: Callable[..., Path]) -> None:
    """Also where a file of the same size took the place of the first."""
    copy = copy_of()
    before = _respondent(copy)
    path = next(copy.glob("*.safetensors"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert _respondent(copy) != before


def test_questions_are_told_apart() -> None:
    """Prompts with and without attributions, forced texts, and the proof are different questions."""
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
    keys = {question_key({}, Settings(), one.content(Settings())) for one in asked}
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
