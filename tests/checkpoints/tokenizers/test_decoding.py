"""What a generation config asks for, and greedy decoding does not do."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import GenerationConfig

from lengthprobe.checkpoints.tokenizers.decoding import overridden_settings


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ({}, ()),
        ({"do_sample": True, "temperature": 0.7}, ("do_sample=True", "temperature=0.7")),
        ({"do_sample": True, "top_k": 50, "top_p": 1.0}, ("do_sample=True",)),
        ({"temperature": 0.7, "top_p": 0.9}, ()),
        ({"repetition_penalty": 1.05}, ("repetition_penalty=1.05",)),
        ({"repetition_penalty": 1.0, "num_beams": 1, "length_penalty": 1.0}, ()),
        ({"num_beams": 4}, ("num_beams=4",)),
        ({"min_new_tokens": 5}, ("min_new_tokens=5",)),
        ({"min_length": 0}, ()),
        ({"bad_words_ids": [[7]]}, ("bad_words_ids=[[7]]",)),
        ({"suppress_tokens": [7, 8]}, ("suppress_tokens=[7, 8]",)),
        ({"forced_bos_token_id": 9}, ("forced_bos_token_id=9",)),
        ({"no_repeat_ngram_size": 3}, ("no_repeat_ngram_size=3",)),
        ({"eos_token_id": [1, 2], "pad_token_id": 0, "max_new_tokens": 99, "max_length": 4096}, ()),
        ({"something_of_a_later_version": 3}, ("something_of_a_later_version=3",)),
    ],
    ids=str,
)
def test_overridden_settings(asked: dict[str, Any], listed: tuple[str, ...]) -> None:
    """What would change the tokens is listed; defaults, ends, lengths and idle sampling settings are not."""
    assert overridden_settings(GenerationConfig(**asked).to_dict()) == listed
