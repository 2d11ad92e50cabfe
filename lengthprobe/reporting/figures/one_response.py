"""The components that wrote each word of a response."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lengthprobe.reporting.figures.axes import WIDTH, draw_heading, sheet
from lengthprobe.reporting.figures.portraits import grid, language_name, late_name, roles
from lengthprobe.reporting.palette import BLUE, GREY, INK, MUTED, VERMILLION
from lengthprobe.untrusted_text import escaped_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lengthprobe.portraits.portrait import OfWord, Portrait, Word

NAME = "one_response"
TITLE = "One response, word by word"
_COMPONENTS: tuple[tuple[OfWord, str, str], ...] = (
    ("late_heads", "late heads", BLUE),
    ("final_mlp", "final MLP", VERMILLION),
    ("other", "the rest", GREY),
)
_WORDS_SHOWN = 24
_LETTERS_SHOWN = 22
_PROMPT_SHOWN = 110
# Heights, in words.
_HEAD, _BETWEEN, _ROW = 1.9, 1.3, 0.235


def caption(portraits: Mapping[str, Portrait]) -> str:
    """The caption: how to read the figure."""
    portrait = portraits[roles(portraits)[0]]
    return (
        "Each row is one word of the response. A bar is what some components added to the logit of the "
        f"word's tokens: the late heads ({late_name(portrait)}), the final MLP, and all other components. "
        "To the right of zero, these components called for the word. ■ is the end of the response."
    )


def figure(portraits: Mapping[str, Portrait]) -> Figure | None:
    """A block for each language: a row for each word in reading order, a column of bars per component."""
    first = portraits[roles(portraits)[0]]["languages"]
    examples = {
        code: measured["example"]
        for code, measured in first.items()
        if measured.get("example", {}).get("words")
    }
    if not examples:
        return None
    rows = [min(len(example["words"]), _WORDS_SHOWN) for example in examples.values()]
    ratios = [ratio for count in rows for ratio in (_HEAD, count + _BETWEEN)]
    drawing = sheet(WIDTH, _ROW * sum(ratios) + 0.5)
    places = drawing.add_gridspec(len(ratios), len(_COMPONENTS), height_ratios=ratios)
    panels: list[Axes] = []
    for block, (code, example) in enumerate(examples.items()):
        prompt = " ".join(escaped_text(str(example["prompt"]), _PROMPT_SHOWN).split())
        said = f"{language_name(code)}, N = {int(example['n_words'])}"
        draw_heading(drawing.add_subplot(places[2 * block, :]), said, prompt)
        for column in range(len(_COMPONENTS)):
            # All blocks have one scale, so that languages can be compared.
            panels.append(
                drawing.add_subplot(places[2 * block + 1, column], sharex=panels[0] if panels else None)
            )
        _bars(panels[-len(_COMPONENTS) :], example["words"], last=block == len(examples) - 1)
    return drawing


def _bars(row: Sequence[Axes], words: Sequence[Word], *, last: bool) -> None:
    """Draw a bar for every word, in a panel for every component."""
    shown = words[:_WORDS_SHOWN]
    places = np.arange(len(shown))
    for axes, (component, name, colour) in zip(row, _COMPONENTS, strict=True):
        values = grid([[word[component]] for word in shown])[:, 0]
        axes.barh(places, values, height=0.66, color=colour)
        axes.axvline(0, color=MUTED, linewidth=0.9)
        axes.grid(visible=True, axis="x")
        axes.tick_params(length=0, labelbottom=last)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_title(name, color=MUTED, fontsize=8, fontweight="normal", pad=4)
        axes.set_yticks([])
        axes.set_ylim(len(shown) - 0.4, -0.6)
    row[0].set_yticks(places, [_word(word) for word in shown])
    row[0].tick_params(axis="y", labelcolor=INK)
    if left := sum(not word["ends"] for word in words[_WORDS_SHOWN:]):
        row[0].set_xlabel(f"… and {left} more words", loc="left")
    if last:
        row[-1].set_xlabel("logits", loc="right")


def _word(word: Word) -> str:
    text = " ".join(escaped_text(str(word["text"]), _LETTERS_SHOWN).split())
    return f"{text} ■".strip() if word["ends"] else text
