"""Constraint: responses written with the words of a vocabulary and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import LogitsProcessor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from lengthprobe.generation.vocabulary import Vocabulary

# States that are no place within a word: nothing is written; a word may begin; a mark is written; it is over.
_EMPTY, _BETWEEN, _MARKED, _OVER = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class Constraint:
    """The vocabulary of each row of a batch.

    A response is an opening, then words; a mark may follow any of them. The response ends after a word or a
    mark where an end token is the best of *all* tokens, and nowhere else. So the choice of the next word is
    constrained, and the choice to end is free (ours). If an end token were merely allowed among others, the
    model would end wherever its own next word is forbidden.

    Args:
        rows: The vocabularies.
        ends: The tokens that end a response.
    """

    rows: tuple[Vocabulary, ...]
    ends: tuple[int, ...]

    def of(self, places: Sequence[int]) -> Constraint:
        """The constraint on some of the rows."""
        return Constraint(tuple(self.rows[place] for place in places), self.ends)

    def processor(self, width: int) -> LogitsProcessor:
        """A processor that forbids all other tokens in the first rows of a batch, for one generation.

        Args:
            width: The tokens of each row before its response.
        """
        automata = {vocabulary: Automaton(vocabulary, self.ends) for vocabulary in set(self.rows)}
        return _Allowed([automata[vocabulary] for vocabulary in self.rows], self.ends, width)


class Automaton:
    """A vocabulary as states, each a place in a trie of tokens; 0 is where a response begins.

    Args:
        vocabulary: The vocabulary.
        ends: The tokens that end a response.
    """

    def __init__(self, vocabulary: Vocabulary, ends: Sequence[int]) -> None:
        self._next: list[dict[int, int]] = [{} for _ in range(_OVER + 1)]
        self._ends = frozenset(ends)
        complete = set[int]()
        for root, words in ((_EMPTY, vocabulary.openings), (_BETWEEN, vocabulary.words)):
            complete |= {self._add(root, word) for word in words}
        begins = self._next[_BETWEEN]
        after = dict.fromkeys(vocabulary.marks, _MARKED) | begins
        for state in complete:
            own = self._next[state]
            # A word that goes on comes first: no word begins with what continues another.
            self._next[state] = after | own if own else after
        self._next[_MARKED] = begins
        self._may_end = complete | {_MARKED}
        self._allowed: dict[int, Tensor] = {}

    def _add(self, root: int, word: Sequence[int]) -> int:
        """The state after a word from a root."""
        state = root
        for token in word:
            if token not in self._next[state]:
                self._next[state][token] = len(self._next)
                self._next.append({})
            state = self._next[state][token]
        return state

    def step(self, state: int, token: int) -> int:
        """The state after a token; after an end nothing changes any more.

        Raises:
            KeyError: The token is not allowed.
        """
        if state == _OVER or (token in self._ends and self.may_end(state)):
            return _OVER
        return self._next[state][token]

    def may_end(self, state: int) -> bool:
        """Whether a response may end here."""
        return state in self._may_end

    def is_over(self, state: int) -> bool:
        """Whether the response has ended, so later tokens are not read."""
        return state == _OVER

    def allowed(self, state: int, device: torch.device) -> Tensor:
        """The tokens allowed next, without ends, [m]; made once a state."""
        if state not in self._allowed:
            self._allowed[state] = torch.tensor(list(self._next[state]), dtype=torch.long, device=device)
        return self._allowed[state]


def _after(automaton: Automaton, state: int, token: int) -> int:
    """The state after a token. A forbidden token is padding: something else has ended the row."""
    try:
        return automaton.step(state, token)
    except KeyError:
        return _OVER


class _Allowed(LogitsProcessor):
    """Gives minus infinity to every forbidden token, row by row."""

    def __init__(self, automata: Sequence[Automaton], ends: Sequence[int], width: int) -> None:
        self._automata = automata
        self._states = [_EMPTY] * len(automata)
        self._ends = torch.tensor(list(ends))
        self._width = width

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        n = len(self._automata)
        if input_ids.shape[1] > self._width:
            # A device waits here at every step, for one token a row.
            last = input_ids[:n, -1].tolist()
            steps = zip(self._automata, self._states, last, strict=True)
            self._states = [_after(automaton, state, token) for automaton, state, token in steps]
        own, device = scores[:n], scores.device
        places = list(zip(self._automata, self._states, strict=True))
        tokens = [automaton.allowed(state, device) for automaton, state in places]
        rows = (
            torch.arange(n).repeat_interleave(torch.tensor([len(allowed) for allowed in tokens])).to(device)
        )
        kept = torch.zeros_like(own, dtype=torch.bool)
        kept[rows, torch.cat(tokens)] = True
        best = own.argmax(-1, keepdim=True)
        may_end = torch.tensor([[automaton.may_end(state)] for automaton, state in places]).to(device)
        ending = may_end & torch.isin(best, self._ends.to(device))
        kept |= torch.zeros_like(kept).scatter(1, best, ending)
        kept |= torch.tensor([[automaton.is_over(state)] for automaton, state in places]).to(device)
        return torch.cat([own.masked_fill(~kept, -torch.inf), scores[n:]])
