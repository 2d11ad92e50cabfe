"""Plan: what a scan asks, and how many components it tries on how many prompts before it settles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from lengthprobe.components.names import MODES
from lengthprobe.errors import SettingsError
from lengthprobe.nearest import option_to_type
from lengthprobe.task.prompts import prompt_stream, split_of

if TYPE_CHECKING:
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt

# On so many prompts estimates are taken, and the random sample is ablated.
SCREENED = 16
# Successive halving begins on so many prompts.
_FIRST = 4


@dataclass(frozen=True, slots=True)
class Rung:
    """A round of successive halving: so many components, on so many prompts."""

    components: int
    prompts: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scan is asked for.

    Args:
        language: Code of the language.
        top: How many components are wanted.
        prompts: On how many prompts those are measured.
        sample: How many of the others, drawn at random, are ablated too.
        mode: What replaces a component's output, as in `Probe.ablated`.
        seed: Seed of the prompt stream and of the draw.
        full: Ablate every component on every prompt.

    Raises:
        SettingsError: A value cannot be used; the message names the option.
    """

    language: str
    top: int = 10
    prompts: int = 64
    sample: int = 10
    mode: str = "zero"
    seed: int = 0
    full: bool = False

    def __post_init__(self) -> None:
        for name, least in (("top", 1), ("prompts", _FIRST), ("sample", 0)):
            value = getattr(self, name)
            if value < least:
                raise SettingsError(f"--{name} {value}: at least {least}", f"--{name}={max(least, 10)}")
        if self.mode not in MODES:
            raise SettingsError(
                f"--mode {self.mode!r} is not known", option_to_type("--mode", str(self.mode), MODES)
            )

    @property
    def screened(self) -> int:
        """On how many prompts estimates are taken."""
        return min(SCREENED, self.prompts)

    def asked(self, settings: Settings) -> tuple[Prompt, ...]:
        """The first prompts of the stream that are on discovery topics, as many as the plan has.

        Raises:
            LanguageError: The language is unknown.
            SettingsError: There are not so many.
        """
        stream = prompt_stream(self.language, lengths=settings.lengths, seed=self.seed)
        of_discovery = (one for one in stream if split_of(one) == "discovery")
        found = tuple(islice(of_discovery, self.prompts))
        if len(found) < self.prompts:
            raise SettingsError(
                f"--prompts {self.prompts}: language {self.language!r} has {len(found)} prompts on discovery "
                "topics",
                f"--prompts={len(found)}",
            )
        return found

    def forced_rungs(self, components: int) -> list[Rung]:
        """The rounds in which components are ablated on given texts: all, half of them, a quarter, and so on.

        Never fewer than three times as many as are wanted, so that those that matter are still among them.
        """
        least = min(components, 3 * self.top)
        return [
            Rung(max(least, components >> at), prompts) for at, prompts in enumerate(_doubling(self.screened))
        ]

    def written_rungs(self, components: int) -> list[Rung]:
        """The rounds in which components that are left write answers, before the best of them are measured.

        Of each round's components beyond those that are wanted, the next has half.
        """
        first = min(components, max(-(-3 * self.top // 2), min(4 * self.top, components // 8)))
        rounds = enumerate(_doubling(self.screened)[:-1])
        found = [Rung(self.top + ((first - self.top) >> at), prompts) for at, prompts in rounds]
        return [one for one in found if one.components > self.top]


def _doubling(last: int) -> list[int]:
    """Numbers of prompts, each twice the one before, up to the last."""
    found = [last]
    while found[0] > _FIRST:
        found.insert(0, max(_FIRST, found[0] // 2))
    return found
