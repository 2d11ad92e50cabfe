"""What is asked of a checkpoint: the settings that one run shares."""

from __future__ import annotations

from dataclasses import dataclass

from lengthprobe.errors import SettingsError

COUNTERS = ("uax29", "whitespace", "italian_elision", "characters")
PROMPT_FORMS = ("auto", "chat", "plain")
THINKING = ("off", "allow")
# Most tokens of a thought, where thoughts are allowed; ours. The cap counts the tokens after it.
THOUGHT_LIMIT = 2048
DTYPES = ("auto", "float32", "bfloat16", "float16")
_LONGEST_REQUEST = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a run asks for, checked.

    Args:
        languages: Codes of the languages asked in.
        lengths: Requested numbers of words N.
        budget: Prompts a language.
        alpha: One-sided error rate of an interval's end.
        seed: Seed of the prompt stream.
        counter: Word counter, one of `COUNTERS`.
        cap: Most tokens in a response.
        prompt_form: `chat` (the model's template), `plain`, or `auto`: chat where there is a template.
        system_prompt: System message put before every prompt (chat form only).
        thinking: `off` (the chat template's switch, where there is one, is off) or `allow`: the switch is on,
            and a thought has room of its own beside the cap.
        device_map: As in transformers; `auto` takes the accelerator when there is one.
        dtype: One of `DTYPES`; `auto` takes the checkpoint's own on an accelerator, float32 on a CPU.
        batch_size: Prompts a batch, or None to let the probe choose once.
        allow_pickle: Load pickled weights, which can run any code.
        allow_remote_code: Run the checkpoint's own Python code.
        across_forms: Compare with checkpoints that were asked in another form (template, system prompt,
            ends), which is refused otherwise.

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
    device_map: str = "auto"
    dtype: str = "auto"
    batch_size: int | None = None
    allow_pickle: bool = False
    allow_remote_code: bool = False
    across_forms: bool = False

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
        if not self.languages:
            raise SettingsError("no language is asked for", "--lengthprobe-languages=en,it")
        if not self.lengths or min(self.lengths) < 1 or len(set(self.lengths)) < len(self.lengths):
            raise SettingsError(
                f"lengths {self.lengths!r}: a request is for at least one word, each length once",
                "--lengthprobe-lengths=3-9",
            )
        if self.budget < 1:
            raise SettingsError(
                f"budget {self.budget}: at least one prompt a language is needed",
                "--lengthprobe-budget=300",
            )
        if not 0 < self.alpha < 0.5:
            raise SettingsError(
                f"alpha {self.alpha}: a one-sided error rate lies between 0 and 0.5",
                "--lengthprobe-alpha=0.05",
            )
        if self.cap < 1:
            raise SettingsError(
                f"cap {self.cap}: a response needs at least one token", "--lengthprobe-cap=100"
            )
        if self.batch_size is not None and self.batch_size < 1:
            raise SettingsError(f"batch size {self.batch_size}: at least one", "--lengthprobe-batch-size=32")
        _one_of("counter", self.counter, COUNTERS)
        _one_of("prompt-form", self.prompt_form, PROMPT_FORMS)
        _one_of("thinking", self.thinking, THINKING)
        _one_of("dtype", self.dtype, DTYPES)


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(
            f"{option} {value!r} is not known", f"--lengthprobe-{option}=" + "|".join(allowed)
        )


def read_lengths(text: str) -> tuple[int, ...]:
    """The numbers that a list of numbers and ranges names, as in `3-9` or `3,5,7`.

    Raises:
        ValueError: It names none, or one that cannot be asked for.
    """
    lengths: list[int] = []
    for part in text.split(","):
        first, dash, last = (each.strip() for each in part.partition("-"))
        ends = (first, last) if dash else (first, first)
        if not all(end.isdecimal() for end in ends):
            raise ValueError(f"{part.strip()!r} is no number of words and no range of them")
        low, high = map(int, ends)
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
