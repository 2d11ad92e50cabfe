"""The words that a checkpoint wrote, by the number of tokens that it wrote them with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lengthprobe.errors import SettingsError
from lengthprobe.generation.vocabulary import FEWEST_WORDS, WORDS, Written, vocabulary_of, written_words
from lengthprobe.task.prompts import Prompt, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from transformers import PreTrainedTokenizerFast

PROMPT = Prompt("p", "en", 3, "t", "imperative", "Write 3 words")
TEXTS = ("Il caffè costa, caffè caro.", "Un po' caro: l'oro e l'acqua", "caro e caffè. Il caffè costa")


def _pieces(*texts: str) -> tuple[list[str], Callable[[Sequence[int]], str]]:
    """Tokens with these texts, numbered in this order, and what decodes them."""
    return list(texts), lambda token_ids: "".join(texts[one] for one in token_ids)


def _response(
    tokens: Sequence[int], decode: Callable[[Sequence[int]], str], reason: str = "stop"
) -> Response:
    return Response(PROMPT, tuple(tokens), decode(tokens), reason)


def _byte_level() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer in which the two bytes of è are two tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=262, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(["Il caro e caro e caro"], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def _sentence_piece() -> PreTrainedTokenizerFast:
    """A tokenizer as SentencePiece makes them: ▁ for a space and before the text, bytes for the unknown."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [
        "<unk>",
        "▁",
        "▁Il",
        "▁caro",
        "▁e",
        "▁costa",
        "▁Un",
        "po",
        "l",
        "oro",
        "acqua",
        "caff",
        ".",
        ",",
        ":",
        "'",
    ]
    vocabulary = [(one, -float(at)) for at, one in enumerate(words)]
    vocabulary += [(f"<0x{byte:02X}>", -99.0) for byte in range(256)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")


@pytest.mark.parametrize("make", [_byte_level, _sentence_piece])
def test_words_are_found_whatever_the_tokenizer(make: Callable[[], PreTrainedTokenizerFast]) -> None:
    """Each word stands with the tokens that wrote it; po' ends in no letter, and is none."""
    tokenizer = make()

    def decode(token_ids: Sequence[int]) -> str:
        return tokenizer.decode(list(token_ids), clean_up_tokenization_spaces=False)

    rows = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
    responses = [_response(row, decode) for row in rows]
    assert [one.text for one in responses] == list(TEXTS)

    written = written_words(responses, decode)

    openings = Counter({decode(one): count for one, count in written.openings.items()})
    assert openings == {"Il": 1, "Un": 1, "caro": 1}
    first = rows[0][:1]  # what the words are decoded after, since the space before a text's first word may go
    words = Counter[str]()
    for one, count in written.words.items():
        words[decode([*first, *one]).removeprefix(decode(first))] += count
    assert words == {" caffè": 4, " costa": 2, " caro": 2, " l'oro": 1, " e": 2, " l'acqua": 1, " Il": 1}
    assert {decode([*first, one]).removeprefix(decode(first)) for one in written.marks} == {",", ".", ":"}


def test_the_last_word_of_a_response_cut_off_is_left_out() -> None:
    """It may be half of one."""
    _, decode = _pieces("One", " two", " thr")
    assert [*written_words([_response((0, 1, 2), decode, "length")], decode).words] == [(1,)]
    assert [*written_words([_response((0, 1, 2), decode)], decode).words] == [(1,), (2,)]


def test_a_thought_has_no_words() -> None:
    """What opens the response is what stands after the thought."""
    _, decode = _pieces("<think>", " Not", "</think>", "One", " two")
    response = replace(_response(range(5), decode), thought_tokens=3)
    assert written_words([response], decode) == Written(Counter([(3,)]), Counter([(4,)]), Counter())


def test_a_word_that_shares_a_token_is_left_out() -> None:
    """It cannot be written without the other; nor can a mark that brings a space, or stands before a word."""
    _, decode = _pieces(
        "One", " two three", " four", ". ", "Five", " “six", " well-known", "\n", "seven", " eight"
    )
    written = written_words([_response(range(10), decode)], decode)
    assert written == Written(Counter([(0,)]), Counter([(2,), (9,)]), Counter())


def _written(words: dict[int, int], openings: dict[int, int]) -> Written:
    """Words of one token (below 100) and of two, with their counts."""

    def tokens(one: int) -> tuple[int, ...]:
        return (one,) if one < 100 else (one, one)

    return Written(
        Counter({tokens(one): count for one, count in openings.items()}),
        Counter({tokens(one): count for one, count in words.items()}),
        Counter({7: 3}),
    )


def test_both_kinds_are_as_many_and_as_frequent() -> None:
    """Of the kind with more words those are taken whose counts are nearest, each once."""
    few = {1: 100, 2: 10, 3: 10, 4: 3, 5: 1}
    many = {101: 90, 102: 50, 103: 12, 104: 9, 105: 3, 106: 1, 107: 400}
    written = _written(few | many, {11: 5, 12: 1, 111: 4})

    one = vocabulary_of(written, "one-token", model="model", language="en")
    several = vocabulary_of(written, "several-token", model="model", language="en")

    assert one.words == ((1,), (2,), (3,), (4,), (5,))
    assert several.words == tuple((n, n) for n in (101, 103, 104, 105, 106))
    assert (one.openings, several.openings) == (((11,),), ((111, 111),))
    assert one.marks == several.marks == (7,)


def test_openings_of_one_kind_alone_are_free_to_both() -> None:
    """Otherwise one vocabulary could open no response, or only as the checkpoint never does."""
    words = {**dict.fromkeys(range(5), 1), **dict.fromkeys(range(100, 105), 1)}
    written = _written(words, {111: 2, 112: 1})
    openings = {vocabulary_of(written, kind, model="model", language="en").openings for kind in WORDS}
    assert openings == {((111, 111), (112, 112))}


def test_too_few_words_are_refused() -> None:
    """Of a tokenizer that gives nearly every word one token, the message says which are missing."""
    written = _written(
        {**dict.fromkeys(range(50), 1), **dict.fromkeys(range(100, 99 + FEWEST_WORDS), 1)}, {11: 1}
    )
    for kind in WORDS:
        with pytest.raises(SettingsError, match="model wrote 4 different several-token words") as caught:
            vocabulary_of(written, kind, model="model", language="en")
        assert "--lengthprobe-budget=1000" in caught.value.fix


def test_a_checkpoint_that_answers_nothing_is_refused() -> None:
    """There are no words at all."""
    with pytest.raises(SettingsError, match="wrote 0 different one-token words") as caught:
        vocabulary_of(Written(), "one-token", model="model", language="en")
    assert "see what it answers" in caught.value.fix


def test_words_of_a_fixture_model() -> None:
    """Every word is what the checkpoint's own tokens say, and its kind the number of them."""
    from lengthprobe import load

    probe = load("tiny-it", budget=12, device_map="cpu")
    decode = probe.checkpoint.decode
    for language in ("en", "it"):
        responses = probe.responses(language)
        written = written_words(responses, decode)
        texts = " ".join(one.text for one in responses)
        assert Counter(decode(one).strip() for one in written.words.elements()) + Counter(
            decode(one) for one in written.openings.elements()
        ) == Counter(texts.split())
