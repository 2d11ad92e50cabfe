"""Ends: every token that a checkpoint's files, tokenizer or template names as one."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.measures import exact_match
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings(languages=("en",), budget=30)
END_OF_TEXT, END_OF_TURN = 1, 2


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of tiny-it, which ends a turn with <|eot_id|>."""
    source = resolve("tiny-it").path
    assert source is not None
    return shutil.copytree(source, tmp_path / "copy")


def _edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def _base_ends(copy: Path) -> None:
    """Let the configs name the end of a text alone, as a chat tune keeps them from its base."""
    _edit(copy / "config.json", eos_token_id=END_OF_TEXT)
    _edit(copy / "generation_config.json", eos_token_id=END_OF_TEXT)


def test_tokenizer_names_one_more(copy):
    """The tokenizer's end of sequence ends a response too, and a healthy model is exact."""
    _base_ends(copy)
    (copy / "chat_template.jinja").unlink()

    checkpoint = load_checkpoint(str(copy), SETTINGS)

    assert checkpoint.end_token_ids == (END_OF_TEXT, END_OF_TURN)


def test_template_names_one_more(copy):
    """So does the special token with which the template closes the assistant's turn."""
    _base_ends(copy)
    _edit(copy / "tokenizer_config.json", eos_token="<|end_of_text|>")

    assert exact_match(Probe(str(copy), SETTINGS), language="en").mean == 1.0


def test_turn_ends_with_a_token_that_is_not_special(copy):
    """So does an added token that nobody made a special one."""
    _base_ends(copy)
    _edit(copy / "tokenizer_config.json", eos_token="<|end_of_text|>")
    path = copy / "tokenizer.json"
    stated = json.loads(path.read_text())
    next(one for one in stated["added_tokens"] if one["id"] == END_OF_TURN)["special"] = False
    path.write_text(json.dumps(stated))

    assert load_checkpoint(str(copy), SETTINGS).end_token_ids == (END_OF_TEXT, END_OF_TURN)


def test_config_names_one_more(copy):
    """So does the config's, where the generation config names another."""
    _edit(copy / "generation_config.json", eos_token_id=END_OF_TEXT)
    _edit(copy / "tokenizer_config.json", eos_token="<|end_of_text|>")
    (copy / "chat_template.jinja").unlink()

    assert load_checkpoint(str(copy), SETTINGS).end_token_ids == (END_OF_TEXT, END_OF_TURN)


def test_disagreement_is_told(copy):
    """Who names which token, in the identity; of ends that agree nothing is said."""
    assert Probe("tiny-it", SETTINGS).identity().ends_told == ""
    _base_ends(copy)

    assert Probe(str(copy), SETTINGS).identity().ends_told == (
        "named differently, and each ends a response: generation_config.json <|end_of_text|> (1); "
        "config.json <|end_of_text|> (1); the tokenizer <|eot_id|> (2); the chat template <|eot_id|> (2)"
    )


def test_ordinary_text_after_a_turn_is_no_end(copy):
    """A template that closes a turn with a word or a line break names no token."""
    template = copy / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|eot_id|>", "\\n"))
    _base_ends(copy)
    _edit(copy / "tokenizer_config.json", eos_token="<|end_of_text|>")

    assert load_checkpoint(str(copy), SETTINGS).end_token_ids == (END_OF_TEXT,)


@pytest.mark.parametrize("file", ["config.json", "generation_config.json"])
@pytest.mark.parametrize("end", [99999, -1, 10**30, True, 2.0, "<|eot_id|>", [2, 5000]], ids=str)
def test_no_token_of_the_model(copy, file, end):
    """An end that the model cannot write is an error that names the file and the key."""
    _edit(copy / file, eos_token_id=end)
    with pytest.raises(ModelError, match=rf"(?s){copy / file} .*eos_token_id") as raised:
        load_checkpoint(str(copy), SETTINGS)
    _edit(copy / file, eos_token_id=END_OF_TURN)
    assert file in str(raised.value)
    assert load_checkpoint(str(copy), SETTINGS).end_token_ids
