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


def merge_forms(some: Sequence[Form], others: Sequence[Form]) -> tuple[Form, ...]:
    """The forms behind two compared estimates, each once.

    Args:
        some: The forms behind the first estimate; empty where its values come from no checkpoint.
        others: The forms behind the second estimate.

    Raises:
        SettingsError: Two forms are unlike, and neither may be compared across forms.
    """
    for one in some:
        for other in others:
            if not (one.across or other.across):
                _check_alike(one, other)
    return tuple(dict.fromkeys((*some, *others)))


def _check_alike(one: Form, other: Form) -> None:
    written = _other_kind(one, other) or _other_template(one, other)
    told = [
        written,
        _other_system_prompt(one, other),
        _other_ends(one, other),
        _other_thinking(one, other),
    ]
    found = [each for each in told if each is not None]
    if not found:
        return
    mends = [found[0][1]] if found[0][1] else []
    # Plain form has no place for a system prompt, and keeps the checkpoint's own ends.
    if found == [written] and not (one.system_prompt or other.system_prompt):
        mends.append(_PLAIN)
    raise SettingsError(
        f"{one.model} and {other.model} were not asked alike, so that a difference need not be one of the "
        f"weights: {'; '.join(problem for problem, _ in found)}",
        "; or ".join(dict.fromkeys([*mends, _ACROSS])),
    )


def _other_kind(one: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where only one of two checkpoints was asked in its chat template, else None."""
    if one.kind == other.kind:
        return None
    plain, chat = (one, other) if one.kind == "plain" else (other, one)
    problem = f"{plain.model} in plain form, {chat.model} in its chat template"
    if plain.source is not None:
        return problem, "ask both in the same form: setting:prompt-form"
    missing = f"{plain.folder}/{TEMPLATE}"
    return f"{problem}: {missing} is missing", _copy(chat, missing)


def _other_template(one: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where two checkpoints were asked in different chat templates, else None."""
    if one.template == other.template:
        return None
    first, second = (f"{each.source} (SHA-256 {str(each.template)[:12]})" for each in (one, other))
    return (
        f"their chat templates differ: {first} and {second}",
        f"take the same template for both: {_copy(other, f'{one.folder}/{TEMPLATE}')}",
    )


def _other_system_prompt(one: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where two checkpoints had different system prompts, else None."""
    if one.system_prompt == other.system_prompt:
        return None
    first, second = (
        "none" if each.system_prompt is None else repr(printable(each.system_prompt, 60))
        for each in (one, other)
    )
    return (
        f"their system prompts differ: {first} and {second}",
        "give both the same: setting:system-prompt",
    )


def _other_ends(one: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where responses of two checkpoints end at different tokens, else None."""
    if one.ends == other.ends:
        return None
    first, second = (f"{each.model} at {_listed(each.ends)}" for each in (one, other))
    lacking = [
        f"add the id of {_listed(missing)} to eos_token_id in {each.ends_file}"
        for each, rest in ((one, other), (other, one))
        # A GGUF file has no room for more.
        if (missing := sorted({*rest.ends} - {*each.ends})) and not each.ends_file.endswith(".gguf")
    ]
    return f"their responses end differently: {first}, {second}", "; ".join(lacking)


def _other_thinking(one: Form, other: Form) -> tuple[str, str] | None:
    """The problem and its fix where only one of two checkpoints could think before the answer, else None."""
    if one.thinking == other.thinking:
        return None
    problem = f"thoughts are {one.thinking} for {one.model}, {other.thinking} for {other.model}"
    return problem, "give both the same: setting:thinking"


def _copy(chat: Form, place: str) -> str:
    """The fix that brings a chat template to a place."""
    if str(chat.source).endswith(TEMPLATE):
        return f"copy it from {chat.source} to {place}"
    return f'save what "chat_template" says in {chat.source} as {place}'


def _listed(ends: Sequence[str]) -> str:
    return ", ".join(printable(end, 40) or repr(end) for end in ends)
