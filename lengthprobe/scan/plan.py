"""Plan of a scan: its prompts, and the numbers of components and prompts in each round."""

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

# The number of prompts for the estimates, and for the ablation of the random sample.
SCREENED = 16
# The number of prompts in the first round of successive halving.
_FIRST = 4


@dataclass(frozen=True, slots=True)
class Rung:
    """A round of successive halving: a number of components, and a number of prompts."""

    components: int
    prompts: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a scan.

    Args:
        language: Code of the language.
        top: How many of the strongest components are wanted.
        prompts: On how many prompts the wanted components are measured.
        sample: How many of the other components, drawn at random, are ablated too.
        mode: The mode of ablation, as in `Probe.ablated`.
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
        """The number of prompts for the estimates."""
        return min(SCREENED, self.prompts)

    def asked(self, settings: Settings) -> tuple[Prompt, ...]:
        """The first `prompts` prompts of the stream on discovery topics.

        Raises:
            LanguageError: The language is unknown.
            SettingsError: The language has fewer prompts on discovery topics.
        """
        stream = prompt_stream(self.language, lengths=settings.lengths, seed=self.seed)
        of_discovery = (prompt for prompt in stream if split_of(prompt) == "discovery")
        prompts = tuple(islice(of_discovery, self.prompts))
        if len(prompts) < self.prompts:
            raise SettingsError(
                f"--prompts {self.prompts}: language {self.language!r} has {len(prompts)} prompts on "
                "discovery topics",
                f"--prompts={len(prompts)}",
            )
        return prompts

    def forced_rungs(self, components: int) -> list[Rung]:
        """The rounds in which components are ablated on given texts: all, half of them, a quarter, and so on.

        No round has fewer than three times the wanted number of components, so that no component that matters
        is lost.
        """
        least = min(components, 3 * self.top)
        return [
            Rung(max(least, components >> halvings), prompts)
            for halvings, prompts in enumerate(_doubling(self.screened))
        ]

    def written_rungs(self, components: int) -> list[Rung]:
        """The rounds in which answers are written under the ablation of each remaining component.

        Each round halves the number of components beyond the wanted number.
        """
        first = min(components, max(-(-3 * self.top // 2), min(4 * self.top, components // 8)))
        rounds = enumerate(_doubling(self.screened)[:-1])
        rungs = [Rung(self.top + ((first - self.top) >> halvings), prompts) for halvings, prompts in rounds]
        return [rung for rung in rungs if rung.components > self.top]


def _doubling(last: int) -> list[int]:
    """Numbers of prompts up to `last`, each twice the number before."""
    sizes = [last]
    while sizes[0] > _FIRST:
        sizes.insert(0, max(_FIRST, sizes[0] // 2))
    return sizes
