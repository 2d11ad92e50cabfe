"""Token ids: padding, rows, and what stands in a text for a token that is no part of one."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
import transformers

from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.measures import exact_match
from lengthprobe.probe import Probe
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings(languages=("en",), budget=30)
ROWS = 960


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of tiny-it, which is exact on every one of these prompts."""
    source = resolve("tiny-it").path
    assert source is not None
    return shutil.copytree(source, tmp_path / "copy")


def _add(copy: Path, **special: str) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(copy)
    tokenizer.add_special_tokens(special)
    tokenizer.save_pretrained(copy)


@pytest.mark.parametrize("batch_size", [1, 30])
def test_padding_without_a_row(copy, batch_size):
    """A pad token that was added without resizing the embedding is masked, and hurts nothing."""
    _add(copy, pad_token="[PAD]")
    probe = Probe(str(copy), Settings(languages=("en",), budget=30, batch_size=batch_size))
    assert exact_match(probe, language="en").mean == 1.0


@pytest.mark.parametrize("pad", [-1, 5000])
def test_padding_that_no_file_knows(copy, pad):
    """A pad token beyond the rows in the configs hurts nothing either."""
    for name in ("config.json", "generation_config.json"):
        path = copy / name
        path.write_text(json.dumps(json.loads(path.read_text()) | {"pad_token_id": pad}))
    assert exact_match(Probe(str(copy), SETTINGS), language="en").mean == 1.0


def test_added_token_that_prompts_use(copy):
    """A prompt's token without a row is an error that names it and the number of rows."""
    _add(copy, bos_token="<|new|>")
    with pytest.raises(ModelError, match=rf"writes token {ROWS} \(<\|new\|>\), and its model knows {ROWS}"):
        Probe(str(copy), SETTINGS).responses("en")


def test_special_token_separates_words():
    """What is left out of a text joins no words: neither a foreign turn's end nor one that was never used."""
    checkpoint = load_checkpoint("tiny-it", SETTINGS)
    words = checkpoint.tokenizer("Waves sing", add_special_tokens=False)["input_ids"]
    joined = [token for word in words for token in (word, 4)]
    bare = [checkpoint.tokenizer("sing", add_special_tokens=False)["input_ids"]] * 2

    assert checkpoint.decode(joined).split() == [
        piece for word in words for piece in checkpoint.decode([word]).split()
    ]
    assert checkpoint.decode([*bare[0], 3, *bare[1]]) == "sing sing"
    assert checkpoint.decode(words) == "Waves sing"


def test_row_without_a_text(copy):
    """A token that only the model knows stands as U+FFFD: it is neither dropped nor a crash."""
    model = transformers.AutoModelForCausalLM.from_pretrained(copy)
    model.resize_token_embeddings(ROWS + 64)
    model.save_pretrained(copy)

    assert load_checkpoint(str(copy), SETTINGS).decode([ROWS + 5]) == "\ufffd"
