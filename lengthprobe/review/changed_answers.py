"""Changed answers: the prompts to which two runs have different answers, side by side as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lengthprobe.task.words import count_words
from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.probe import Probe
    from lengthprobe.task.prompts import Response

_SHOWN = 300
# In the order of the list: what a user looks for comes first.
LOST, GAINED, LENGTH, WORDS = "no longer exact", "newly exact", "of another length", "with other words"
KINDS = (LOST, GAINED, LENGTH, WORDS)


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """Two different answers to a prompt.

    Args:
        ours: The answer of the candidate.
        theirs: The answer of the reference.
        n_ours: The number of words of the candidate's answer.
        n_theirs: The number of words of the reference's answer.
    """

    ours: Response
    theirs: Response
    n_ours: int
    n_theirs: int

    @property
    def kind(self) -> str:
        """A word of `KINDS`."""
        exact, was_exact = (
            count == response.prompt.n_words and response.finish_reason == "stop"
            for count, response in ((self.n_ours, self.ours), (self.n_theirs, self.theirs))
        )
        if exact != was_exact:
            return GAINED if exact else LOST
        return LENGTH if self.n_ours != self.n_theirs else WORDS


def changed_answers(candidate: Probe, reference: Probe, language: str) -> tuple[list[ChangedAnswer], int]:
    """The changed answers in a language, by kind and then by size of the change; and the number of pairs.

    Args:
        candidate, reference: Two probes with the same prompts.
        language: Code of the language.
    """
    others = {(one.prompt.id, one.sample): one for one in reference.responses(language)}
    pairs = [
        (response, others[place])
        for response in candidate.responses(language)
        if (place := (response.prompt.id, response.sample)) in others
    ]

    def n_words(response: Response) -> int:
        return count_words(response.answer, language=language, counter=candidate.settings.counter)

    changed = [
        ChangedAnswer(ours, theirs, n_words(ours), n_words(theirs))
        for ours, theirs in pairs
        if (ours.text, ours.finish_reason) != (theirs.text, theirs.finish_reason)
    ]
    changed.sort(key=lambda answer: (KINDS.index(answer.kind), -abs(answer.n_ours - answer.n_theirs)))
    return changed, len(pairs)


def changed_lines(
    changed: Sequence[ChangedAnswer], n_prompts: int, language: str, names: tuple[str, str], shown: int | None
) -> list[str]:
    """Lines on the changed answers in a language.

    Args:
        changed: The answers.
        n_prompts: The number of prompts.
        language: Code of the language.
        names: The names of the candidate and of the reference.
        shown: Most answers to show, None for all.
    """
    counts = [(kind, sum(answer.kind == kind for answer in changed)) for kind in KINDS]
    stated = ", ".join(f"{count} {kind}" for kind, count in counts if count)
    first = f"{language}: {len(changed)} of {n_prompts} answers differ" + (f": {stated}" if stated else "")
    lines, width = [first], max(map(len, names))
    for answer in changed[:shown]:
        prompt = answer.ours.prompt
        lines.append(f"  asked {prompt.n_words}: {printable(prompt.text, _SHOWN)}")
        sides = ((names[1], answer.n_theirs, answer.theirs), (names[0], answer.n_ours, answer.ours))
        lines += [f"    {name:<{width}}  {_written(count, response)}" for name, count, response in sides]
    left = len(changed) - len(changed[:shown])
    return [*lines, f"  and {left} more: --answers={len(changed)} shows all"] if left else lines


def _written(count: int, response: Response) -> str:
    end = "" if response.finish_reason == "stop" else ", cut off"
    return f"{count} {'word' if count == 1 else 'words'}{end}: {printable(response.answer, _SHOWN)}"
