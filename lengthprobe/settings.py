"""Settings that all checkpoints of a run share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from lengthprobe.errors import SettingsError
from lengthprobe.nearest import option_to_type
from lengthprobe.sampling import DEFAULT_SAMPLES, USUAL, check_sampling, in_words, read_sampling

if TYPE_CHECKING:
    from lengthprobe.sampling import Sampling

COUNTERS = ("uax29", "whitespace", "italian_elision", "characters")
PROMPT_FORMS = ("auto", "chat", "plain")
THINKING = ("off", "allow")
# Most tokens of a thought, where thoughts are allowed; ours. The cap counts the tokens after the thought.
THOUGHT_LIMIT = 2048
# The fields of `Settings` that change no answer to a question: these fields decide which questions are asked,
# and how answers are read. Where a field has a part in a question after all, the question holds the value; of
# the batch size the chosen number counts. Every other field has a part in every key (`asking.keys`).
CHANGE_NO_ANSWER = frozenset(
    {
        "languages",
        "lengths",
        "budget",
        "alpha",
        "seed",
        "counter",
        "batch_size",
        "across_forms",
        "early_looks",
        "sampling",
        "samples",
    }
)
# More tokens than any tokenizer needs for a usual word; ours.
TOKENS_A_WORD = 8
DTYPES = ("auto", "float32", "bfloat16", "float16")
LEAST_ALPHA, MOST_ALPHA = 1e-6, 0.2
_LONGEST_REQUEST = 1000
_DIGITS = 9
# No model reads more tokens, and no language has as many prompts.
_MOST = 10_000_000
_MOST_SEED = 2**63 - 1
_MOST_SAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a run, checked.

    Args:
        languages: Codes of the languages in which prompts are asked.
        lengths: Requested numbers of words N.
        budget: Prompts a language; with `early_looks` the most prompts a language.
        alpha: One-sided error rate of an interval's end, from 0.000001 to 0.2.
        seed: Seed of the prompt stream, and of samples.
        counter: Word counter, from `COUNTERS`.
        cap: Most tokens in a response.
        prompt_form: `chat` (the model's template), `plain`, or `auto`: chat where there is a template.
        system_prompt: System message put before every prompt (chat form only).
        thinking: `off` (the chat template's switch, where there is one, is off) or `allow`: the switch is on,
            and a thought has room of its own beside the cap.
        sampling: The distribution from which responses are drawn, as `temperature=0.7,top-p=0.9` or
            `top-k=50`. None or `greedy`: the best token at each step. Components are asked about greedy
            responses all the same (`Probe.greedy`).
        samples: The number of responses to each prompt; None: 4 where responses are drawn, else 1.
        device_map: Device map of transformers; `auto` takes the accelerator where there is an accelerator.
        dtype: Number format, from `DTYPES`; `auto` takes the checkpoint's own on an accelerator, float32 on a
            CPU.
        batch_size: Prompts a batch, or None to let the probe choose once.
        allow_pickle: Load pickled weights, which can run any code.
        allow_remote_code: Run the checkpoint's own Python code.
        early_looks: Rising numbers of prompts at which claims are judged before the budget is asked
            (`statistics.looks`). A batch ends there.
        across_forms: Compare checkpoints asked in different forms (template, system prompt, ends); otherwise
            lengthprobe refuses the comparison.

    Raises:
        SettingsError: A value cannot be used; the message names the option.
    """

    languages: tuple[str, ...] = ("en", "it")
    lengths: tuple[int, ...] = (3, 4, 5, 6, 7, 8, 9)
    budget: int = 300
    alpha: float = 0.05
    seed: int = 0
    counter: str = "uax29"
    cap: int = 100
    prompt_form: str = "auto"
    system_prompt: str | None = None
    thinking: str = "off"
    sampling: str | None = None
    samples: int | None = None
    device_map: str = "auto"
    dtype: str = "auto"
    batch_size: int | None = None
    allow_pickle: bool = False
    allow_remote_code: bool = False
    across_forms: bool = False
    early_looks: tuple[int, ...] = ()

    @property
    def first_prompts(self) -> int:
        """The number of prompts at the first look: prompts that are asked in any case."""
        return self.early_looks[0] if self.early_looks else self.budget

    @property
    def sample_numbers(self) -> tuple[int | None, ...]:
        """The number of each response to a prompt, from 1; `(None,)` for a greedy response."""
        return (None,) if self.sampling is None else tuple(range(1, (self.samples or 1) + 1))

    @property
    def needed_sampling(self) -> Sampling:
        """The distribution from which responses are drawn; raises SettingsError for greedy responses."""
        sampling = None if self.sampling is None else read_sampling(self.sampling)
        if sampling is None:
            raise SettingsError("decoding is greedy, and has no samples", f"setting:sampling='{USUAL}'")
        return sampling

    @property
    def sampled(self) -> str:
        """`temperature 0.7, top-p 0.9, 4 samples a prompt, seed 0`; empty for greedy responses."""
        return "" if self.sampling is None else in_words(self.needed_sampling, self.samples or 1, self.seed)

    @property
    def greedy(self) -> Settings:
        """The settings with greedy responses."""
        return self if self.sampling is None else replace(self, sampling=None, samples=1)

    def at_look(self, prompts: int, part: float) -> Settings:
        """The settings on the first prompts alone, at a part of alpha."""
        earlier = tuple(look for look in self.early_looks if look < prompts)
        return replace(self, budget=prompts, alpha=self.alpha * part, early_looks=earlier)

    def __post_init__(self) -> None:
        if isinstance(self.languages, str):
            raise SettingsError(
                f"languages {self.languages!r} is one string, and several codes are asked for",
                f"languages=({self.languages!r},)",
            )
        if isinstance(self.lengths, int):
            raise SettingsError(
                f"lengths {self.lengths} is one number, and several are asked for",
                f"lengths=({self.lengths},)",
            )
        self._keep("languages", _texts("languages", self.languages, "en,it"))
        self._keep("lengths", _lengths(self.lengths))
        self._keep("budget", _whole("budget", self.budget, "at least one prompt a language", 300))
        self._keep("early_looks", _early_looks(self.early_looks, self.budget))
        self._keep("seed", _whole("seed", self.seed, "any number", 0, least=-_MOST_SEED, most=_MOST_SEED))
        self._keep("cap", _whole("cap", self.cap, "a response needs at least one token", 100))
        if self.batch_size is not None:
            self._keep("batch_size", _whole("batch-size", self.batch_size, "at least one prompt at once", 32))
        if not _is_real(self.alpha) or not LEAST_ALPHA <= self.alpha <= MOST_ALPHA:
            raise SettingsError(
                f"alpha {self.alpha!r}: a one-sided error rate lies between {LEAST_ALPHA:f} "
                f"and {MOST_ALPHA:g}",
                "setting:alpha=0.05",
            )
        for flag in ("allow_pickle", "allow_remote_code", "across_forms"):
            if not isinstance(getattr(self, flag), bool):
                raise SettingsError(
                    f"{flag} {getattr(self, flag)!r} is neither True nor False", f"{flag}=False"
                )
        if self.system_prompt is not None and not isinstance(self.system_prompt, str):
            raise SettingsError(
                f"system prompt {self.system_prompt!r} is no text", "setting:system-prompt='Be brief.'"
            )
        if not isinstance(self.device_map, str) or not self.device_map.strip():
            raise SettingsError(f"device map {self.device_map!r} names no device", "setting:device-map=auto")
        _one_of("counter", self.counter, COUNTERS)
        _one_of("prompt-form", self.prompt_form, PROMPT_FORMS)
        _one_of("thinking", self.thinking, THINKING)
        _one_of("dtype", self.dtype, DTYPES)
        self._keep("sampling", check_sampling(self.sampling))
        self._keep("samples", self._number_of_samples())

    def _number_of_samples(self) -> int:
        if self.samples is None:
            return 1 if self.sampling is None else DEFAULT_SAMPLES
        why = "at least one response to each prompt"
        number = _whole("samples", self.samples, why, DEFAULT_SAMPLES, most=_MOST_SAMPLES)
        if number > 1 and self.sampling is None:
            raise SettingsError(
                f"samples {number}: decoding is greedy, and all responses to a prompt would be the same",
                f"setting:sampling='{USUAL}', or setting:samples=1",
            )
        return number

    def _keep(self, name: str, value: Any) -> None:
        """Set a field to its checked, plain value."""
        object.__setattr__(self, name, value)


def _whole(option: str, value: object, why: str, usual: int, *, least: int = 1, most: int = _MOST) -> int:
    """A value as a whole number, within its limits."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise SettingsError(f"{option} {value!r} is no whole number", f"setting:{option}={usual}")
    number = int(value)
    if not least <= number <= most:
        raise SettingsError(
            f"{option} {_shown(number)}: {why}" + (f", and at most {most:,}" if number > most else ""),
            f"setting:{option}={usual}",
        )
    return number


def _early_looks(values: object, budget: int) -> tuple[int, ...]:
    """The numbers of prompts at looks before the budget."""
    looks = tuple(values) if isinstance(values, Sequence) and not isinstance(values, str) else (None,)
    if not all(isinstance(one, Integral) and not isinstance(one, bool) for one in looks) or list(
        looks
    ) != sorted({*looks}):
        raise SettingsError(
            f"early looks {values!r} are no rising numbers of prompts", "early_looks=(100, 150, 300)"
        )
    if looks and not 1 <= looks[0] <= looks[-1] < budget:
        raise SettingsError(
            f"early looks {looks} do not lie below the budget {budget}", "early_looks=(), or a larger budget"
        )
    return tuple(map(int, looks))


def _is_real(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _shown(number: int) -> str:
    """A whole number in words; very large numbers, which Python refuses to write out, by their bits."""
    return str(number) if number.bit_length() <= 256 else f"of {number.bit_length():,} bits"


def _texts(option: str, values: object, usual: str) -> tuple[str, ...]:
    if not values:
        raise SettingsError(f"no {option[:-1]} is asked for", f"setting:{option}={usual}")
    if not isinstance(values, Sequence) or not all(isinstance(one, str) for one in values):
        raise SettingsError(f"{option} {values!r} is no list of codes", f"setting:{option}={usual}")
    return tuple(values)


def _lengths(values: object) -> tuple[int, ...]:
    """The numbers of words to ask for, each once."""
    fix = "setting:lengths=3-9"
    numbers = list(values) if isinstance(values, Sequence) and not isinstance(values, str) else []
    if not all(isinstance(one, Integral) and not isinstance(one, bool) for one in numbers) or (
        values and not numbers
    ):
        raise SettingsError(f"lengths {values!r} is no list of whole numbers", fix)
    if not numbers or min(numbers) < 1 or len(set(numbers)) < len(numbers):
        raise SettingsError(f"lengths {values!r}: a request is for at least one word, each length once", fix)
    if max(numbers) > _LONGEST_REQUEST:
        raise SettingsError(
            f"lengths up to {_shown(max(numbers))}: a request is for at most {_LONGEST_REQUEST} words", fix
        )
    return tuple(map(int, numbers))


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(
            f"{option} {value!r} is not known", option_to_type(f"setting:{option}", str(value), allowed)
        )


def read_lengths(text: str) -> tuple[int, ...]:
    """The numbers in a list of numbers and ranges, as in `3-9` or `3,5,7`.

    Raises:
        ValueError: The list is empty, or has a number that cannot be asked for.
    """
    lengths: list[int] = []
    for part in text.split(","):
        first, dash, last = (each.strip() for each in part.partition("-"))
        ends = (first, last) if dash else (first, first)
        if not all(end.isdecimal() for end in ends):
            raise ValueError(f"{part.strip()!r} is neither a number of words nor a range (3-9 or 3,5,7)")
        # Python does not read a number of thousands of digits, and says so in words of its own.
        low, high = (int(end) if len(end) <= _DIGITS else _LONGEST_REQUEST + 1 for end in ends)
        if low > high:
            raise ValueError(f"the range {low}-{high} runs backwards: {high}-{low}")
        if low < 1:
            raise ValueError("a request is for at least one word")
        if high > _LONGEST_REQUEST:
            raise ValueError(f"a request is for at most {_LONGEST_REQUEST} words")
        lengths += range(low, high + 1)
    if len(set(lengths)) < len(lengths):
        raise ValueError("a number of words stands twice")
    return tuple(sorted(lengths))
