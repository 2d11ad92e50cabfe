"""Adherence step by step: as if each beginning of a response were decoded, counted and segmented whole."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers
from uniseg.wordbreak import words

from lengthprobe.settings import COUNTERS
from lengthprobe.task.adherence import Adherence, adherence
from lengthprobe.task.words import _ELIDED, count_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

TINY_IT = Path(__file__).parents[2] / "fixtures" / "models" / "tiny-it" / "tokenizer.json"


@cache
def byte_level() -> Tokenizer:
    """The byte-level BPE of the fixture models."""
    return Tokenizer.from_file(str(TINY_IT))


@cache
def sentencepiece(decoder: str) -> Tokenizer:
    """A tokenizer like those of sentencepiece: ▁ for a space, and a token a byte for rare characters.

    Args:
        decoder: `llama`, which puts bytes together, or `metaspace`, which leaves each as its own name.
    """
    pieces = ["▁", "▁▁", "▁the", "the", "▁l'", "uomo", "▁citt", "▁perch", "▁è", "▁un", "▁3", "▁中", "中"]
    pieces += [*"abcdehlmnopqrstu1.,;:-_'", "\n", "arte"]
    by_byte = [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary = [("<unk>", 0.0), ("<end>", 0.0), *((piece, -1.0) for piece in [*pieces, *by_byte])]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.add_special_tokens(["<end>"])
    together = [
        decoders.Replace("▁", " "),
        decoders.ByteFallback(),
        decoders.Fuse(),
        decoders.Strip(" ", 1, 0),
    ]
    tokenizer.decoder = decoders.Sequence(together) if decoder == "llama" else decoders.Metaspace()
    return tokenizer


TOKENIZERS = {
    "byte-level": byte_level,
    "llama": lambda: sentencepiece("llama"),
    "metaspace": lambda: sentencepiece("metaspace"),
}
# What the counters turn on, and characters of two, three and four bytes.
TEXT = st.text("ab1éè_.:,;'’\"-  \n\u00a0\u200d\u0301👩🇮Ⓜאア中文\u00ad", max_size=24)
ITALIAN = st.lists(
    st.sampled_from(["l'", "dell'", "un", "'", "uomo", "è", "città", " ", " ", ".", "quest'", "arte"])
)


def decoder(tokenizer: Tokenizer) -> Callable[[Sequence[int]], str]:
    """How a tokenizer decodes for a probe: without its special tokens."""
    return lambda token_ids: tokenizer.decode(list(token_ids), skip_special_tokens=True)


def segments(text: str, counter: str) -> Iterable[str]:
    """The text in the pieces that a counter looks at for letters and digits."""
    if counter == "whitespace":
        return re.split(r"(\s+)", text)
    if counter == "characters":
        return regex.findall(r"\X", text)
    if counter == "uax29":
        return words(text)
    parts = [0]
    for elided in _ELIDED.finditer(text):
        parts += [elided.start() + mark.end() for mark in re.finditer("['’]", elided[0])]
    parts.append(len(text))
    return [segment for at, end in pairwise(parts) for segment in words(text[at:end])]


def leaves_a_complete_word(before: str, whole: str, counter: str) -> bool:
    """Whether the last letter or digit before a place and the next one after it are in different words."""
    rest = whole.removeprefix(before)
    if not count_words(before, counter=counter) or before.endswith("\ufffd") or not whole.startswith(before):
        return False
    if rest and (unicodedata.category(rest[0])[0] == "M" or set(rest) == {"\ufffd"}):
        return False
    word_of = [number for number, segment in enumerate(segments(whole, counter)) for _ in segment]
    last = max(at for at, character in enumerate(before) if character.isalnum())
    following = (at for at in range(len(before), len(whole)) if whole[at].isalnum())
    return all(word_of[at] != word_of[last] for at in following)


def slow(
    token_ids: Sequence[int], decode: Callable[[Sequence[int]], str], *, ended: bool, counter: str
) -> Adherence:
    """The definition, word for word: every beginning of a response decoded, counted and segmented whole."""
    texts = [decode(token_ids[:end]) if end else "" for end in range(len(token_ids) + 1)]
    texts += [texts[-1]] * ended
    return Adherence(
        tuple(count_words(text, counter=counter) for text in texts[1:]),
        tuple(leaves_a_complete_word(text, texts[-1], counter) for text in texts[:-1]),
        ended,
    )


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("name", TOKENIZERS)
@given(data=st.data(), ended=st.booleans())
@settings(deadline=None)
def test_steps_agree_with_whole_texts(name: str, counter: str, data: st.DataObject, *, ended: bool) -> None:
    """Token by token as if each beginning were decoded and counted whole, for likely texts and any tokens."""
    tokenizer = TOKENIZERS[name]()
    tokens = st.lists(st.integers(0, tokenizer.get_vocab_size() - 1), max_size=24)
    encoded = (TEXT | ITALIAN.map("".join)).map(
        lambda text: tokenizer.encode(unicodedata.normalize("NFC", text), add_special_tokens=False).ids
    )
    token_ids = data.draw(tokens | encoded)
    decode = decoder(tokenizer)

    assert adherence(token_ids, decode, ended=ended, language="it", counter=counter) == slow(
        token_ids, decode, ended=ended, counter=counter
    )


@given(raw=st.lists(st.binary(max_size=4) | TEXT.map(str.encode), max_size=12), ended=st.booleans())
@settings(deadline=None)
def test_any_bytes_are_read(raw: list[bytes], *, ended: bool) -> None:
    """Tokens may stand for any bytes, those of no character included."""

    def decode(token_ids: Sequence[int]) -> str:
        return b"".join(raw[token] for token in token_ids).decode("utf-8", "replace")

    found = adherence(range(len(raw)), decode, ended=ended, language="en", counter="uax29")

    assert found == slow(range(len(raw)), decode, ended=ended, counter="uax29")


def test_a_tokenizer_that_decodes_in_its_own_way_is_decoded_whole() -> None:
    """One that opens and closes quotations, say: how a mark is written hangs on all that came before."""
    pieces = ['"', "Hello", " world", '"', "s", " end"]

    def decode(token_ids: Sequence[int]) -> str:
        return re.sub('"(.*?)"', "“\\1’", "".join(pieces[token] for token in token_ids))

    found = adherence(range(6), decode, ended=False, language="en", counter="uax29")

    assert found.counts == (0, 1, 2, 2, 2, 3)  # “Hello world’s end, where "s after world is a word of its own
    assert found == slow(range(6), decode, ended=False, counter="uax29")


def work(token_ids: Sequence[int], decode: Callable[[Sequence[int]], str], counter: str) -> tuple[int, int]:
    """How many tokens are decoded, and how many characters counted, for the adherence of a response."""
    decoded = counted = 0

    def decode_some(some: Sequence[int]) -> str:
        nonlocal decoded
        decoded += len(some)
        return decode(some)

    def count_some(text: str, **how: str) -> int:
        nonlocal counted
        counted += len(text)
        return count_words(text, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lengthprobe.task.adherence.count_words", count_some)
        adherence(token_ids, decode_some, ended=True, language="en", counter=counter)
    return decoded, counted


@pytest.mark.parametrize("counter", COUNTERS)
@pytest.mark.parametrize("name", TOKENIZERS)
def test_twice_the_tokens_take_twice_the_work(name: str, counter: str) -> None:
    """Tokens decoded and characters counted, not time: 2 × is linear, 4 × would be quadratic."""
    tokenizer = TOKENIZERS[name]()
    text = " un the l'uomo, well-known e città più grandi: 中文字典。" * 20
    token_ids = tokenizer.encode(text, add_special_tokens=False).ids

    once, twice = (work(token_ids[:end], decoder(tokenizer), counter) for end in (len(token_ids) // 2, None))

    assert twice[0] <= 2.2 * once[0]
    assert twice[1] <= 2.2 * once[1]


def test_a_word_whose_first_token_splits_a_character_takes_no_more_work() -> None:
    """The rest of the response is not decoded whole for it."""
    pieces = [b" perch\xc3", b"\xa9", b" no"]

    def decode(token_ids: Sequence[int]) -> str:
        return b"".join(pieces[token] for token in token_ids).decode("utf-8", "replace")

    once, twice = (work([0, 1, 2] * times, decode, "uax29") for times in (20, 40))

    assert twice[0] <= 2.2 * once[0]
