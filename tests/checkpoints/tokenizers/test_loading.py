"""The tokenizer, compared with what its own file says."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
import tokenizers

from lengthprobe.checkpoints.catalog import resolve
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings
from lengthprobe.task.prompts import prompts

if TYPE_CHECKING:
    from collections.abc import Callable
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


def _of_llama_2(directory: Path, *, legacy: bool) -> None:
    """Put a tokenizer of Llama 2's kind into a checkpoint: a space before every text, bytes for the rest."""
    from tokenizers import Tokenizer, decoders, models, normalizers, trainers

    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, show_progress=False, max_token_length=8
    )
    tokenizer.train_from_iterator([prompt.text for prompt in prompts("en", budget=300)], trainer)
    stated = json.loads(tokenizer.to_str())
    # The bytes are ordinary tokens.
    stated["added_tokens"] = stated["added_tokens"][:3]
    (directory / "tokenizer.json").write_text(json.dumps(stated))
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "legacy": legacy}
    config = {"tokenizer_class": "LlamaTokenizer", **names}
    (directory / "tokenizer_config.json").write_text(json.dumps(config))
    (directory / "chat_template.jinja").write_text(
        "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token }}[INST] {{ m.content }} [/INST]"
        "{% else %} {{ m.content }} {{ eos_token }}{% endif %}{% endfor %}"
    )


def test_class_that_agrees_on_what_is_asked(copy_of: Callable[..., Path]) -> None:
    """A class that differs from the file in a way that no prompt shows loads."""
    directory = copy_of("llama")
    _of_llama_2(directory, legacy=True)
    assert type(load_checkpoint(str(directory), SETTINGS).tokenizer).__name__ == "LlamaTokenizer"


def test_class_that_overrules_the_file_in_chat_form(copy_of: Callable[..., Path]) -> None:
    """Prompts are compared as the template writes them: after a special token a class may drop a space."""
    directory = copy_of("llama")
    _of_llama_2(directory, legacy=False)
    plain = Settings(languages=("en",), budget=60, prompt_form="plain")
    assert load_checkpoint(str(directory), plain)
    with pytest.raises(ModelError, match=r"The class LlamaTokenizer .* of '<s>\[INST\] "):
        load_checkpoint(str(directory), SETTINGS)

    _name(directory, "PreTrainedTokenizerFast")
    assert load_checkpoint(str(directory), SETTINGS)


def test_special_token_that_only_the_config_names(copy):
    """A token of the vocabulary that tokenizer_config.json alone makes a special one is no second reading."""
    path = copy / "tokenizer.json"
    stated = json.loads(path.read_text())
    stated["added_tokens"] = [one for one in stated["added_tokens"] if one["content"] != "<|eot_id|>"]
    path.write_text(json.dumps(stated))
    assert load_checkpoint(str(copy), SETTINGS).end_token_ids == (1, 2)


def test_flags_of_a_token_that_only_the_config_names(copy):
    """White space that a special token takes along by tokenizer_config.json is no second reading."""
    path = copy / "tokenizer_config.json"
    header = {"content": "<|end_header_id|>", "lstrip": False, "normalized": False, "rstrip": True}
    header |= {"single_word": False, "special": True}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"added_tokens_decoder": {"4": header}}))
    tokenizer = load_checkpoint(str(copy), SETTINGS).tokenizer
    assert tokenizer("<|end_header_id|>\n\n", add_special_tokens=False)["input_ids"] == [4]
