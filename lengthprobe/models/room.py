"""Room: whether answers of the lengths asked for fit into the token cap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.errors import SettingsError
from lengthprobe.task.languages import load_language

if TYPE_CHECKING:
    from lengthprobe.settings import Settings


def check_room(name: str, tokenizer: Any, settings: Settings) -> None:
    """Check that the token cap leaves room for the longest answers asked for, in every language.

    How many tokens a word takes hangs on the tokenizer. Where the cap is too small, every long answer is cut
    off, and a healthy model is called broken.

    Args:
        name: The checkpoint's name.
        tokenizer: Its tokenizer.
        settings: The cap, the lengths and the languages.

    Raises:
        SettingsError: There is no room; the fix is a cap that has room in all languages.
    """
    words = max(settings.lengths)
    needed = {language: tokens_for(words, language, tokenizer) for language in settings.languages}
    language = max(needed, key=lambda each: needed[each])
    if settings.cap < needed[language]:
        raise SettingsError(
            f"cap {settings.cap}: {name} writes {words} words in {language!r} with {needed[language]} tokens "
            "or more, so that the long answers would be cut off",
            f"--lengthprobe-cap={-(-2 * needed[language] // 10) * 10}, or shorter lengths",
        )


def tokens_for(words: int, language: str, tokenizer: Any) -> int:
    """How many tokens the plainest answer of so many words takes, with the end token.

    Counted on stretches of the language's ordinary sentences; an answer may be as plain as the plainest.
    """
    text = " ".join(load_language(language).ordinary).split()
    # A language file may have fewer words than are asked for.
    text *= -(-(words + 1) // len(text))
    stretches = [" ".join(text[start : start + words]) for start in range(len(text) - words + 1)]
    return min(map(len, tokenizer(stretches, add_special_tokens=False)["input_ids"])) + 1
