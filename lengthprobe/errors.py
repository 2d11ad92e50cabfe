"""Errors of lengthprobe: each states the problem, its file, model or option, and the next thing to type."""

from __future__ import annotations

from lengthprobe.spelling import spell_message
from lengthprobe.untrusted_text import one_line


class LengthprobeError(Exception):
    """A problem and its fix, each on a single line that is safe on any terminal.

    Names and messages from a checkpoint are text by others: a line break in a tensor's name must not write a
    fix of its own.

    Args:
        problem: The problem, with its file, model or option.
        fix: The next thing to type or change. In problem and fix a setting is written
            `setting:dtype=float32`, and is spelled for the reader (`spelling`).
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        # Some exceptions have no text, and then nothing stands after the colon.
        self.problem = one_line(spell_message(problem)).rstrip(": ")
        self.fix = one_line(spell_message(fix))
        super().__init__(f"{self.problem}\n  fix: {self.fix}" if self.fix else self.problem)

    def __reduce__(self) -> tuple[type[LengthprobeError], tuple[str, str]]:
        return type(self), (self.problem, self.fix)


def reason(error: BaseException) -> str:
    """The text of an exception, or the name of its class where the text is empty."""
    return str(error).strip() or type(error).__name__


class SettingsError(LengthprobeError):
    """An option or argument has a wrong value."""


class MarginError(SettingsError, AttributeError):
    """A margin has an unknown name; an AttributeError too, so that `hasattr` is false."""


class MeasureError(LengthprobeError, AttributeError):
    """A measure is asked for by a name that none has, of which `hasattr` is false."""


class NotSavedError(SettingsError):
    """A saved run lacks the answer to a question; other questions may have answers."""


class FewWordsError(SettingsError):
    """A checkpoint wrote too few words of a kind to be constrained to this kind."""


class LanguageError(LengthprobeError):
    """A language is unknown, or its file is unusable."""


class ModelError(LengthprobeError):
    """A checkpoint cannot be found, loaded or run."""


class OutOfMemoryError(ModelError):
    """A checkpoint does not fit its device's memory even with a single prompt."""


class ReportError(LengthprobeError):
    """A report cannot be written."""


class Undecided(AssertionError):  # noqa: N818 - it is the name of the verdict
    """The data do not decide a claim: raised where the truth of an undecided Verdict is asked."""
