"""Adherence: counts, complete words and signs of every token of known responses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tokenizers import Tokenizer

from lengthprobe.errors import SettingsError
from lengthprobe.task.adherence import Adherence, adherence
from lengthprobe.task.words import count_words

if TYPE_CHECKING:
    from collections.abc import Sequence

TINY_IT = Path(__file__).parents[2] / "fixtures" / "models" / "tiny-it" / "tokenizer.json"
YES, NO = True, False


def written(
    *pieces: str | bytes,
    ended: bool = True,
    language: str = "en",
    counter: str = "uax29",
    opened: bool = False,
) -> Adherence:
    """The adherence of a response whose tokens stand for these strings or bytes."""

    def decode(token_ids: Sequence[int]) -> str:
        raw = (pieces[token] for token in token_ids)
        whole = b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in raw)
        return whole.decode("utf-8", "replace")

    return adherence(
        range(len(pieces)), decode, ended=ended, language=language, counter=counter, opened=opened
    )


@pytest.mark.parametrize(
    ("pieces", "counts", "complete"),
    [
        # words of several tokens: the first token of a word makes it one word more
        (["Hel", "lo", " wor", "ld"], (1, 1, 2, 2, 2), (NO, NO, YES, NO, YES)),
        # a token that ends one word and begins the next continues the first
        (["Hel", "lo wor", "ld"], (1, 2, 2, 2), (NO, NO, NO, YES)),
        # leading spaces, and spaces that are tokens of their own
        ([" Hello", " ", "world", "\n", "\n"], (1, 1, 2, 2, 2, 2), (NO, YES, YES, YES, YES, YES)),
        # punctuation-only tokens; before the first word there is none that could be complete
        (['"', "Hello", ",", " world", "."], (0, 1, 1, 2, 2, 2), (NO, NO, YES, YES, YES, YES)),
        (["-", "-", "-"], (0, 0, 0, 0), (NO, NO, NO, NO)),
        # a mark that joins letters or digits is within the word, however the rest of it is tokenized
        (["don", "'", "t"], (1, 1, 1, 1), (NO, NO, NO, YES)),
        (["don", "'t"], (1, 1, 1), (NO, NO, YES)),
        (["3", ".", "14", "."], (1, 1, 1, 1, 1), (NO, NO, NO, YES, YES)),
        (["dogs", "'", " tails"], (1, 1, 2, 2), (NO, YES, YES, YES)),
        (["well", "-", "known"], (1, 1, 2, 2), (NO, YES, YES, YES)),
        (["un", " po", "'"], (1, 2, 2, 2), (NO, YES, YES, YES)),
        # bytes of a split character: of a letter that continues the word, …
        (["citt", b"\xc3", b"\xa0", "!"], (1, 1, 1, 1, 1), (NO, NO, NO, YES, YES)),
        # … of one that begins it (no word until it is whole), and of an emoji
        ([b"\xc3", b"\x88", " vero"], (0, 1, 2, 2), (NO, NO, YES, YES)),
        (["ciao", b" \xf0\x9f", b"\x91", b"\x8d"], (1, 1, 1, 1, 1), (NO, YES, NO, NO, YES)),
        # an accent that follows its letter is within the character
        (["caffe", "\u0300", " nero"], (1, 1, 2, 2), (NO, NO, YES, YES)),
        # ideographs are words of their own
        (["中", "文"], (1, 2, 2), (NO, YES, YES)),
        # an ending within a character is no complete word, even where the model chose it
        (["citt", b"\xc3"], (1, 1, 1), (NO, NO, NO)),
    ],
)
def test_known_responses(
    pieces: list[str | bytes], counts: tuple[int, ...], complete: tuple[bool, ...]
) -> None:
    """Counts after each token and the end, and whether ending there instead leaves a complete word."""
    assert written(*pieces) == Adherence(counts, complete, ended=True)


@pytest.mark.parametrize(
    ("pieces", "counter", "counts", "complete"),
    [
        (["l'", "uomo", " beve"], "uax29", (1, 1, 2), (NO, NO, YES)),
        (["l'", "uomo", " beve"], "italian_elision", (1, 2, 3), (NO, YES, YES)),
        (["que", "st'", "anno"], "italian_elision", (1, 1, 2), (NO, NO, YES)),
        (["well", "-", "known"], "whitespace", (1, 1, 1), (NO, NO, NO)),
        (["a", "b", " c"], "characters", (1, 2, 3), (NO, YES, YES)),
    ],
)
def test_the_counter_says_what_a_word_is(
    pieces: list[str], counter: str, counts: tuple[int, ...], complete: tuple[bool, ...]
) -> None:
    """What continues a word under one counter begins the next under another."""
    assert written(*pieces, ended=False, counter=counter) == Adherence(counts, complete, ended=False)


def test_a_response_cut_at_the_cap_has_no_end_token() -> None:
    """It has a step a token, and no word that would have gone on is known to be complete."""
    assert written("Hel", "lo", " wor", ended=False) == Adherence((1, 1, 2), (NO, NO, YES), ended=False)
    assert written("citt", b"\xc3", ended=False) == Adherence((1, 1), (NO, NO), ended=False)


def test_an_empty_response_has_its_end_token_alone() -> None:
    """No word is there to be complete; with the cap at nothing there is no step at all."""
    assert written() == Adherence((0,), (NO,), ended=True)
    assert written(ended=False) == Adherence((), (), ended=False)


@pytest.mark.parametrize(
    ("n_words", "signs"),
    [
        (0, (-1, -1, -1, -1, -1)),
        (1, (1, 1, 1, -1, -1)),  # "Hello," is a prefix of one word, "Hello, wor" is not; nor may it end there
        (2, (1, 1, 1, 1, 1)),
        (3, (1, 1, 1, 1, -1)),  # the text is one word short where it ends
    ],
)
def test_signs_say_which_tokens_adhere(n_words: int, signs: tuple[int, ...]) -> None:
    """METHODS §3: a token adheres up to N words, the end token at exactly N."""
    assert written("Hel", "lo", ",", " world").signs(n_words) == signs


def test_a_response_cut_at_the_cap_is_not_judged_by_its_length() -> None:
    """Without an end token, a text that is too short so far adheres to its last token."""
    assert written("Hello", " world", ended=False).signs(3) == (1, 1)


def test_an_empty_response_adheres_to_no_request() -> None:
    """Ending at once is right for no words alone; a response without a step has no sign."""
    assert written().signs(3) == (-1,)
    assert written(ended=False).signs(3) == ()


@pytest.mark.parametrize(
    ("pieces", "opened", "expected"),
    [
        # the words of a thought are none, and ending within or right after a thought leaves no word
        (
            ["<think>", "Two", " words", "</think>", "Waves", " sing"],
            NO,
            Adherence((0, 0, 0, 0, 1, 2, 2), (NO, NO, NO, NO, NO, YES, YES), YES, (*[YES] * 4, *[NO] * 3)),
        ),
        # a mark of several tokens; a token that ends the thought and begins the answer is the answer's
        (
            ["<th", "ink>", "\n</", "think>Waves"],
            NO,
            Adherence((0, 0, 0, 1, 1), (NO, NO, NO, NO, YES), YES, (YES, YES, YES, NO, NO)),
        ),
        # the prompt had opened the thought
        (
            ["Two", "</think>", "\n", "Waves"],
            YES,
            Adherence((0, 0, 0, 1, 1), (NO, NO, NO, NO, YES), YES, (YES, YES, YES, NO, NO)),
        ),
        # an unfinished thought has no answer, and its end token is none of an answer
        (
            ["<think>", "Two"],
            NO,
            Adherence((0, 0, 0), (NO, NO, NO), YES, (YES, YES, YES)),
        ),
        # a thought within the answer
        (
            ["Waves", "<think>", "x", "</think>", "sing"],
            NO,
            Adherence((1, 1, 1, 1, 2, 2), (NO, NO, NO, NO, YES, YES), YES, (NO, YES, YES, YES, NO, NO)),
        ),
        # a character that is split, after the thought: within it no word is complete
        (
            ["</think>", "citt", b"\xc3", b"\xa0"],
            NO,
            Adherence((0, 1, 1, 1, 1), (NO, NO, NO, NO, YES), YES, (YES, NO, NO, NO, NO)),
        ),
    ],
)
def test_steps_of_a_thought_are_none_of_the_answer(
    pieces: list[str | bytes], opened: bool, expected: Adherence
) -> None:
    """Their words are not counted, no word is complete within them, and they have the sign 0."""
    found = written(*pieces, opened=opened)

    assert found == expected
    assert [bool(sign) for sign in found.signs(2)] == [not one for one in found.thought]


@pytest.mark.parametrize("mark", ["<think>", "[THINK]", "◁think▷"])
def test_a_mark_within_a_line_that_nobody_closes_is_a_word(mark: str) -> None:
    """It is a word of the answer, step by step as in the whole."""
    found = written("Write", f" {mark}", " first")

    assert (found.counts, found.thought) == ((1, 2, 3, 3), ())
    assert found.counts[-1] == count_words(f"Write {mark} first")


def test_special_tokens_write_nothing() -> None:
    """A special token within a response repeats the count before it, whichever of several it is."""
    tokenizer = Tokenizer.from_file(str(TINY_IT))
    special = [token for token, added in tokenizer.get_added_tokens_decoder().items() if added.special]
    hello, world = (tokenizer.encode(text, add_special_tokens=False).ids for text in ("Hello", " world"))
    token_ids = [*special, *hello, *special, *world, *special]

    found = adherence(
        token_ids,
        lambda some: tokenizer.decode(list(some), skip_special_tokens=True),
        ended=False,
        language="en",
        counter="uax29",
    )

    n_special, n_hello = len(special), len(hello)
    assert n_special > 1
    assert found.counts == (0,) * n_special + (1,) * (n_hello + n_special) + (2,) * (len(world) + n_special)


def test_an_unknown_counter_is_refused() -> None:
    """The error is that of the counter."""
    with pytest.raises(SettingsError, match="counter 'letters' is not known"):
        written("Hello", counter="letters")
