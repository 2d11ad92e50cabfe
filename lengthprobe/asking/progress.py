"""Progress: the questions to a checkpoint at this moment, and how much is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lengthprobe.task.languages import available, load_language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lengthprobe.components.names import Ablation
    from lengthprobe.task.prompts import Prompt

    Tell = Callable[["Progress"], None]

_GIGABYTE = 10**9


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a question.

    Args:
        what: The work in words, as in `Italian, 20 sets of components cut`.
        done: The number of answers so far; answers of a batch at work count when they have ended.
        total: The number of answers in the end; 0 where nothing is counted.
        unit: The name of the unit.
        written: Tokens of each response in the batch at work; 0 between batches.
        cap: Most tokens in a response.
        batch: Prompts in the batch at work.
        ended: Prompts of the batch at work with an answer.
        stored: The number of answers that a store had.
    """

    what: str
    done: int = 0
    total: int = 0
    unit: str = "answers"
    written: int = 0
    cap: int = 0
    batch: int = 0
    ended: int = 0
    stored: int = 0

    def further(self, ended: int) -> Progress:
        """The progress with so many more answers done."""
        return replace(self, done=self.done + ended)

    @property
    def is_done(self) -> bool:
        """Whether no answer is left to give."""
        return self.done == self.total

    @property
    def share(self) -> float:
        """The share of the work done, from 0 to 1; a batch at work counts in part."""
        if not self.total:
            return 0.0
        # Of answers that have not ended yet, so many tokens are there of as many as there may be.
        partly = (self.batch - self.ended) * self.written / self.cap if self.cap else 0.0
        return min(1.0, (self.done + partly) / self.total)


def ignore_progress(progress: Progress) -> None:
    """Ignore the progress."""


def batch_summary(
    prompts: Sequence[Prompt], ablations: Iterable[Ablation], words: str | None, *, traces: bool
) -> str:
    """The work on a batch of prompts, in words.

    Args:
        prompts: The prompts.
        ablations: The ablation of each prompt.
        words: The only kind of words allowed in responses, None for all.
        traces: Whether attributions are captured.
    """
    languages = dict.fromkeys(prompt.language for prompt in prompts)
    said = [" and ".join(_language(code) for code in languages)]
    cut = len({one for one in ablations if one.components})
    said += [f"{cut} set{'s' * (cut != 1)} of components cut"] if cut else []
    said += [f"with {words} words alone"] if words else []
    said += ["with attributions"] if traces else []
    return ", ".join(said)


def tell_reading(tell: Tell, size: int, what: str = "reading") -> None:
    """Report the reading of the weights, where they are large.

    Args:
        tell: Called with the progress.
        size: The size of the files, in bytes.
        what: The work on the files.
    """
    if size >= _GIGABYTE:
        tell(Progress(f"{what} {size / _GIGABYTE:.0f} GB of weights"))


def _language(code: str) -> str:
    return load_language(code).name if code in available() else code
