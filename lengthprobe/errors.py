"""The errors that lengthprobe raises: each says what happened, to what, and the next thing to type."""

from __future__ import annotations

from lengthprobe.spelling import spell_message
from lengthprobe.untrusted_text import one_line


class LengthprobeError(Exception):
    """Say what went wrong, and how to mend it, each on one line that any terminal may show.

    Names and messages that a checkpoint brings along are others' text: a line break in a tensor's name must
    not write a fix of its own.

    Args:
        problem: What happened, to which file, model or option.
        fix: The next thing to type or change. A setting is written `setting:dtype=float32` in both, and is
            spelled as its reader types it (`spelling`).
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        # Some exceptions say nothing, and nothing stands after the colon then.
        self.problem = one_line(spell_message(problem)).rstrip(": ")
        self.fix = one_line(spell_message(fix))
        super().__init__(f"{self.problem}\n  fix: {self.fix}" if self.fix else self.problem)

    def __reduce__(self) -> tuple[type[LengthprobeError], tuple[str, str]]:
        return type(self), (self.problem, self.fix)


def reason(error: BaseException) -> str:
    """What an exception says, or the name of its class where it says nothing."""
    return str(error).strip() or type(error).__name__


class SettingsError(LengthprobeError):
    """An option or argument has a value that cannot be used."""


class MarginError(SettingsError, AttributeError):
    """A margin is asked for by a name that none has: as of any missing attribute, `hasattr` is false then."""


class MeasureError(LengthprobeError, AttributeError):
    """A measure is asked for by a name that none has, of which `hasattr` is false."""


class FewWordsError(SettingsError):
    """A checkpoint wrote too few words of a kind to be made to write with these alone."""


class LanguageError(LengthprobeError):
    """A language is unknown, or its file is unusable."""


class ModelError(LengthprobeError):
    """A checkpoint cannot be found, loaded or run."""


class OutOfMemoryError(ModelError):
    """A checkpoint does not fit its device's memory even with a single prompt."""


class ReportError(LengthprobeError):
    """A report cannot be written."""


class Undecided(AssertionError):  # noqa: N818 - it is the name of the verdict
    """The data do not decide a claim: raised when the truth of an undecided Verdict is asked."""
