"""The tokenizer, compared with what its own file says."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
import tokenizers

from lengthprobe.errors import ModelError
from lengthprobe.models.catalog import resolve
from lengthprobe.models.loading import load_checkpoint
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings(languages=("en",), budget=60)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of tiny-it, whose tokenizer.json splits by the rules of byte-level BPE."""
    source = resolve("tiny-it").path
    assert source is not None
    return shutil.copytree(source, tmp_path / "copy")


def _name(copy: Path, tokenizer_class: str) -> None:
    path = copy / "tokenizer_config.json"
    stated = json.loads(path.read_text()) | {"tokenizer_class": tokenizer_class}
    stated.pop("backend", None)
    path.write_text(json.dumps(stated))


@pytest.mark.parametrize("overruling", ["Qwen2Tokenizer", "CohereTokenizer"])
def test_class_that_overrules_the_file(copy, overruling):
    """Prompts read otherwise than tokenizer.json says are refused, and the line to write mends it."""
    _name(copy, overruling)
    with pytest.raises(
        ModelError, match=rf"two ways. The class {overruling} .*tokenizer.json says"
    ) as raised:
        load_checkpoint(str(copy), SETTINGS)

    assert '"tokenizer_class": "PreTrainedTokenizerFast" into tokenizer_config.json' in raised.value.fix
    _name(copy, "PreTrainedTokenizerFast")
    assert load_checkpoint(str(copy), SETTINGS).tokenizer("Seven words", add_special_tokens=False)


def test_class_without_what_it_needs(copy):
    """A class that cannot read a prompt at all is the same fault, and no traceback of its own."""
    _name(copy, "GemmaTokenizer")
    with pytest.raises(ModelError, match=r"two ways. The class GemmaTokenizer .* cannot read a prompt"):
        load_checkpoint(str(copy), SETTINGS)


def test_class_is_never_obeyed_unseen(copy):
    """LlamaTokenizerFast overrules the file in some releases of transformers: then it is refused too."""
    _name(copy, "LlamaTokenizerFast")
    stated = tokenizers.Tokenizer.from_file(str(copy / "tokenizer.json"))
    text = "Write exactly 9 words about waves."
    try:
        taken = load_checkpoint(str(copy), SETTINGS).tokenizer(text, add_special_tokens=False)["input_ids"]
    except ModelError as error:
        assert "two ways" in error.problem  # noqa: PT017  (one of two right ends)
    else:
        assert taken == stated.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("agreeing", ["PreTrainedTokenizerFast", "TokenizersBackend", "GPT2Tokenizer"])
def test_class_that_agrees(copy, agreeing):
    """A class that reads the file as it is loads."""
    _name(copy, agreeing)
    assert load_checkpoint(str(copy), SETTINGS).end_token_ids == (1, 2)


def test_unreadable_file_is_named(copy):
    """A file that is no text is at fault, and no other."""
    (copy / "tokenizer_config.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ModelError, match=r"tokenizer_config\.json"):
        load_checkpoint(str(copy), SETTINGS)
