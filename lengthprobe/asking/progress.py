"""Progress: what a checkpoint is asked at this moment, and how much of it is done."""

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
    """How far one question has come.

    Args:
        what: What is done, in words, as in `Italian, 20 sets of components cut`.
        done: How many answers there are, those that have ended in a batch at work among them.
        total: How many there will be; 0 where nothing is counted.
        unit: What is counted.
        written: Tokens of each response in the batch that is being written; 0 between batches.
        cap: Most tokens in a response.
        batch: Prompts in that batch.
        ended: Of these, how many have an answer.
    """

    what: str
    done: int = 0
    total: int = 0
    unit: str = "answers"
    written: int = 0
    cap: int = 0
    batch: int = 0
    ended: int = 0

    def further(self, ended: int) -> Progress:
        """The same with so many more answers done."""
        return replace(self, done=self.done + ended)

    @property
    def is_done(self) -> bool:
        """Whether nothing of it is left."""
        return self.done == self.total

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1, a batch that is being written in part."""
        if not self.total:
            return 0.0
        # Of answers that have not ended yet, so many tokens are there of as many as there may be.
        partly = (self.batch - self.ended) * self.written / self.cap if self.cap else 0.0
        return min(1.0, (self.done + partly) / self.total)


def ignore_progress(progress: Progress) -> None:
    """Told of progress, says nothing."""


def batch_summary(
    prompts: Sequence[Prompt], ablations: Iterable[Ablation], words: str | None, *, traces: bool
) -> str:
    """What a batch of prompts is asked, in words.

    Args:
        prompts: The prompts.
        ablations: What is cut for each.
        words: The kind of words that alone may be written, None for all.
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
    """Tell that the weights are read, where that takes a time worth a word.

    Args:
        tell: Whom to tell.
        size: Of the files, in bytes.
        what: What is done with them.
    """
    if size >= _GIGABYTE:
        tell(Progress(f"{what} {size / _GIGABYTE:.0f} GB of weights"))


def _language(code: str) -> str:
    return load_language(code).name if code in available() else code
