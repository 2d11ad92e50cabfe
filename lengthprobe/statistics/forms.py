"""Forms in which checkpoints are asked, and the refusal to compare answers from unlike forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lengthprobe.errors import SettingsError
from lengthprobe.untrusted_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

TEMPLATE = "chat_template.jinja"
_PLAIN = "ask both in plain form: setting:prompt-form=plain"
_ACROSS = "compare all the same: setting:across-forms"


@dataclass(frozen=True, slots=True)
class Form:
    """The form in which a checkpoint was asked: prompts and ends of responses, apart from the words.

    Args:
        model: The checkpoint's name.
        kind: `chat` or `plain`.
        template: The digest of the chat template of the prompts, None in plain form.
        system_prompt: The system message, None for no message.
        ends: The texts of the tokens that end a response, sorted.
        folder: The folder of the tokenizer, where a chat template belongs.
        source: The file with the chat template, None for a checkpoint without a template.
        ends_file: The file in which more end tokens can be named.
        across: Whether estimates of this form may be compared with estimates of any other form.
        thinking: `off`, or `allow`: whether the checkpoint could think before the answer.
        sampled: How responses were drawn, in words (`Settings.sampled`); empty for greedy responses.
    """

    model: str
    kind: str
    template: str | None
    system_prompt: str | None
    ends: tuple[str, ...]
    folder: str
    source: str | None
    ends_file: str
    across: bool = False
    thinking: str = "off"
    sampled: str = ""


def merge_forms(some: Sequence[Form], others: Sequence[Form]) -> tuple[Form, ...]:
    """The forms behind two compared estimates, each once.

    Args:
        some: The forms behind the first estimate; empty where its values come from no checkpoint.
        others: The forms behind the second estimate.

    Raises:
        SettingsError: Two forms are unlike, and neither may be compared across forms.
    """
    for form in some:
        for other in others:
            if not (form.across or other.across):
                _check_alike(form, other)
    return tuple(dict.fromkeys((*some, *others)))


def _check_alike(form: Form, other: Form) -> None:
    written = _other_kind(form, other) or _other_template(form, other)
    compared = [
        written,
        _other_system_prompt(form, other),
        _other_ends(form, other),
        _other_thinking(form, other),
        _other_sampling(form, other),
    ]
    differences = [difference for difference in compared if difference is not None]
    if not differences:
        return
    mends = [differences[0][1]] if differences[0][1] else []
    # Plain form has no place for a system prompt, and keeps the checkpoint's own ends.
    if differences == [written] and not (form.system_prompt or other.system_prompt):
        mends.append(_PLAIN)
    raise SettingsError(
        f"{form.model} and {other.model} were not asked alike, so that a difference need not be one of the "
        f"weights: {'; '.join(problem for problem, _ in differences)}",
        "; or ".join(dict.fromkeys([*mends, _ACROSS])),
    )


def _other_kind(form: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where only one of two checkpoints was asked in its chat template, else None."""
    if form.kind == other.kind:
        return None
    plain, chat = (form, other) if form.kind == "plain" else (other, form)
    problem = f"{plain.model} in plain form, {chat.model} in its chat template"
    if plain.source is not None:
        return problem, "ask both in the same form: setting:prompt-form"
    missing = f"{plain.folder}/{TEMPLATE}"
    return f"{problem}: {missing} is missing", _copy(chat, missing)


def _other_template(form: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where two checkpoints were asked in different chat templates, else None."""
    if form.template == other.template:
        return None
    first, second = (f"{side.source} (SHA-256 {str(side.template)[:12]})" for side in (form, other))
    return (
        f"their chat templates differ: {first} and {second}",
        f"take the same template for both: {_copy(other, f'{form.folder}/{TEMPLATE}')}",
    )


def _other_system_prompt(form: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where two checkpoints had different system prompts, else None."""
    if form.system_prompt == other.system_prompt:
        return None
    first, second = (
        "none" if side.system_prompt is None else repr(printable(side.system_prompt, 60))
        for side in (form, other)
    )
    return (
        f"their system prompts differ: {first} and {second}",
        "give both the same: setting:system-prompt",
    )


def _other_ends(form: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where responses of two checkpoints end at different tokens, else None."""
    if form.ends == other.ends:
        return None
    first, second = (f"{side.model} at {_listed(side.ends)}" for side in (form, other))
    lacking = [
        f"add the id of {_listed(missing)} to eos_token_id in {side.ends_file}"
        for side, rest in ((form, other), (other, form))
        # A GGUF file has no room for more.
        if (missing := sorted({*rest.ends} - {*side.ends})) and not side.ends_file.endswith(".gguf")
    ]
    return f"their responses end differently: {first}, {second}", "; ".join(lacking)


def _other_thinking(form: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where only one of two checkpoints could think before the answer, else None."""
    if form.thinking == other.thinking:
        return None
    problem = f"thoughts are {form.thinking} for {form.model}, {other.thinking} for {other.model}"
    return problem, "give both the same: setting:thinking"


def _other_sampling(form: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where the responses of two checkpoints were drawn otherwise, else None."""
    if form.sampled == other.sampled:
        return None
    first, second = (
        f"{side.model} is {f'sampled ({side.sampled})' if side.sampled else 'greedy'}"
        for side in (form, other)
    )
    return f"{first}, {second}", "draw both alike: setting:sampling; in Python, probe.greedy is never sampled"


def _copy(chat: Form, place: str) -> str:
    """The fix that brings a chat template to a place."""
    if str(chat.source).endswith(TEMPLATE):
        return f"copy it from {chat.source} to {place}"
    return f'save what "chat_template" says in {chat.source} as {place}'


def _listed(ends: Sequence[str]) -> str:
    return ", ".join(printable(end, 40) or repr(end) for end in ends)
