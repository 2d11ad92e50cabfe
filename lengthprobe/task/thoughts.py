"""Thoughts: a model's text to itself, before or within the answer, whose words do not count."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Mark:
    """The beginning and the end of a thought, as regular expressions.

    Args:
        opening: Begins a thought.
        closing: Ends a thought.
        tokens: The special tokens of the marks, where one token is not the whole mark. A tokenizer with the
            first of these tokens has the mark.
        alone: Whether a closing without an opening ends a thought: the prompt had opened the thought.
        may_lack_closing: Whether a text without a closing is a thought up to the end.
    """

    opening: str
    closing: str
    tokens: tuple[str, ...] = ()
    alone: bool = True
    may_lack_closing: bool = True


_NAME = r"(?:think|thinking|thought|thoughts|reason|reasoning|reflection|analysis|scratchpad)"
# As in <seed:think>, <longcat_think>.
_TAG = rf"(?:\w{{1,12}}[:_])?{_NAME}"
_FINAL = r"(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*final[^<]*<\|message\|>"

# The one place where a mark is added.
MARKS = (
    # <think>: DeepSeek R1, Qwen 3, GLM 4.5; <thought>: Exaone, Gemini; <reasoning>, <thinking>: many prompts.
    # Only attributes may follow the name: "<thoughts on waves>" is a title.
    Mark(rf"<{_TAG}(?:\s+[\w-]+=[^<>]*)?\s*>", rf"</\s*{_TAG}\s*>"),
    # <|thinking|>, <|START_THINKING|> (Command A), <|begin_of_thought|> (Sky-T1), <|think_start|>
    Mark(
        rf"<\|(?:(?:start|begin)_(?:of_)?)?{_NAME}(?:_(?:start|begin))?\|>",
        rf"<\|/\s*{_NAME}\|>|</\|?{_NAME}\|>|<\|end_(?:of_)?{_NAME}\|>|<\|{_NAME}_end\|>",
    ),
    # [THINK] (Magistral), in capitals alone: [think] may be part of an answer.
    Mark(rf"\[(?-i:{_NAME.upper()})\]", rf"\[/(?-i:{_NAME.upper()})\]"),
    # ◁think▷ (Kimi)
    Mark(rf"◁{_NAME}▷", rf"◁/{_NAME}▷"),
    # The channels of gpt-oss, …
    Mark(
        r"(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*(?:analysis|commentary)[^<]*<\|message\|>",
        r"<\|end\|>",
        tokens=("<|channel|>", "<|message|>", "<|end|>", "<|start|>"),
        alone=False,
    ),
    # … and what is left of them where the special tokens were decoded away.
    Mark(r"\Aanalysis(?=(?s:.)*assistantfinal)", "assistantfinal", alone=False, may_lack_closing=False),
    # The channels of Gemma 4, and MedGemma's
    Mark(r"<\|channel>\s*thought\b", r"<channel\|>", tokens=("<|channel>", "<channel|>"), alone=False),
    Mark(r"<unused94>\s*thought\b", "<unused95>", tokens=("<unused94>", "<unused95>"), alone=False),
)
# What says that the answer follows, or that there was no thought.
_SILENT = rf"{_FINAL}|<{_TAG}\s*/>"
# What stands around an answer after a thought.
_WRAPPER = (
    r"</?(?:answer|response|solution|final)>|<\|(?:START|END)_RESPONSE\|>|<\|(?:begin|end)_of_solution\|>"
)

_SCAN = re.compile(
    "|".join(
        [
            f"(?P<silent>{_SILENT})",
            f"(?P<wrapper>{_WRAPPER})",
            *(
                f"(?P<o{index}>{mark.opening})|(?P<c{index}>{mark.closing})"
                for index, mark in enumerate(MARKS)
            ),
        ]
    ),
    re.IGNORECASE,
)
_LINE_START = re.compile(r"(?:\A|\n)[ \t]*\Z")
_WORD = re.compile(r"[^\W_]")
_SPACE = re.compile(r"\s*")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Parted:
    """A text, divided into thoughts and answer.

    Args:
        text: The text.
        thoughts: The spans of the thoughts, with marks and the white space after them, in order.
        unfinished: Whether the text ends within a thought, and has no word of an answer.
    """

    text: str
    thoughts: tuple[Span, ...]
    unfinished: bool

    @property
    def answer(self) -> str:
        """The text without its thoughts."""
        return self.answer_of_first(len(self.text)) if self.thoughts else self.text

    def answer_of_first(self, n_characters: int) -> str:
        """The first characters of the text without its thoughts; a thought within an answer parts words."""
        pieces, start = [""], 0
        for begin, end in (*self.thoughts, (n_characters, n_characters)):
            piece = self.text[start : min(begin, n_characters)]
            parts = pieces[-1] and not pieces[-1][-1].isspace() and piece and not piece[0].isspace()
            pieces += [" ", piece] if parts else [piece] if piece else []
            start = end
            if start >= n_characters:
                break
        return "".join(pieces)

    def is_thought(self, begin: int, end: int) -> bool:
        """Whether all of the text from one place to another is thought."""
        return any(first <= begin and end <= last for first, last in self.thoughts)


@lru_cache(maxsize=1 << 14)
def part_thoughts(text: str, *, opened: bool = False) -> Parted:
    """A text, divided into thoughts and answer.

    A thought runs from an opening mark to its closing mark. A closing mark without an opening mark before
    ends a thought opened by the prompt. An opening mark without a closing mark begins an unfinished thought
    at the start of a line. Within a line, such a mark is a word of the answer, as in "write <think> first".

    Args:
        text: Any string; the time is in proportion to the length.
        opened: Whether the prompt had opened a thought, so that the text begins within the thought.
    """
    if not opened and not _may_have_marks(text):
        return Parted(text, (), unfinished=False)
    finished, silent, wrappers, unclosed = _scanned(text, opened=opened)
    cut = False
    if unclosed is not None and (opened or _begins_line(text, unclosed, finished)):
        finished.append((unclosed, len(text)))
        cut = True
    if not finished and not silent:
        return Parted(text, (), unfinished=False)
    spans = _widened(text, [*finished, *silent, *(wrappers if finished else ())])
    whole = Parted(text, spans, unfinished=False)
    return Parted(text, spans, unfinished=cut and not _WORD.search(whole.answer))


def answer_of(text: str) -> str:
    r"""A text without its thoughts.

    >>> answer_of("<think>\nThree words.\n</think>\n\nWaves sing softly")
    'Waves sing softly'
    """
    return part_thoughts(text).answer


def leaves_open(text: str) -> bool:
    """Whether a text, such as the end of a prompt, opens a thought and does not close the thought."""
    return _scanned(text, opened=False)[3] is not None


def special_marks(special: Iterable[str]) -> frozenset[str]:
    """The marks of thoughts among some special tokens."""
    known = frozenset(special)
    marks: set[str] = set()
    for mark in MARKS:
        if mark.tokens:
            marks |= known & set(mark.tokens) if mark.tokens[0] in known else set()
        else:
            either = re.compile(f"{mark.opening}|{mark.closing}", re.IGNORECASE)
            marks |= {token for token in known if either.fullmatch(token.strip())}
    return frozenset(marks)


def _may_have_marks(text: str) -> bool:
    return any(sign in text for sign in ("<", "[", "◁", "assistantfinal"))


def _scanned(text: str, *, opened: bool) -> tuple[list[Span], list[Span], list[Span], int | None]:
    """The finished thoughts, silent marks, wrappers, and the start of a thought without a closing."""
    finished: list[Span] = []
    silent: list[Span] = []
    wrappers: list[Span] = []
    # A prompt's thought may have any mark's closing.
    row: int | None = None
    depth, begin, last = int(opened), 0, None
    for match in _SCAN.finditer(text):
        kind = str(match.lastgroup)
        if kind in ("silent", "wrapper"):
            (silent if kind == "silent" else wrappers).append(match.span())
            continue
        index, opening = int(kind[1:]), kind[0] == "o"
        if depth:
            # A thought may speak of its own mark.
            if row in (None, index):
                depth += 1 if opening else -1
                last = last if opening else match.end()
                if not depth:
                    finished.append((begin, match.end()))
        elif opening:
            row, depth, begin, last = index, 1, match.start(), None
        elif not MARKS[index].alone:
            continue
        else:
            finished.append(match.span() if finished else (0, match.end()))
    if not depth:
        return finished, silent, wrappers, None
    if last is not None:
        return [*finished, (begin, last)], silent, wrappers, None
    lacks = row is None or MARKS[row].may_lack_closing
    return finished, silent, wrappers, begin if lacks else None


def _begins_line(text: str, begin: int, thoughts: Iterable[Span]) -> bool:
    """Whether a place is at the beginning of a line, or right after a thought."""
    last = max((end for _, end in thoughts), default=None)
    after = last is not None and last <= begin and not text[last:begin].strip()
    return after or _LINE_START.search(text, 0, begin) is not None


def _widened(text: str, spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, each with the white space after, and the first with the white space before."""
    widened: list[Span] = []
    for begin, end in sorted(spans):
        first = begin if widened or text[:begin].strip() else 0
        after = _SPACE.match(text, end)
        last = after.end() if after else end
        first = max(first, widened[-1][1]) if widened else first
        if first < last:
            widened.append((first, last))
    return tuple(widened)
