"""The errors that lengthprobe raises: each says what happened, to what, and the next thing to type."""

from __future__ import annotations


class LengthprobeError(Exception):
    """Say what went wrong, and how to mend it.

    Args:
        problem: What happened, to which file, model or option.
        fix: The next thing to type or change.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        self.problem = problem
        self.fix = fix
        super().__init__(f"{problem}\n  fix: {fix}" if fix else problem)

    def __reduce__(self) -> tuple[type[LengthprobeError], tuple[str, str]]:
        return type(self), (self.problem, self.fix)


class SettingsError(LengthprobeError):
    """An option or argument has a value that cannot be used."""


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
