"""Forms: in what a checkpoint was asked, and the refusal to compare what was asked in unlike forms."""

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
    """In what a checkpoint was asked: what determines its prompts and their ends, beside the words.

    Args:
        model: The checkpoint's name.
        kind: `chat` or `plain`.
        template: The digest of the chat template that the prompts were written in, None in plain form.
        system_prompt: The system message, None without one.
        ends: The texts of the tokens that end a response, sorted.
        folder: Where the tokenizer is, and a chat template belongs.
        source: The file that says the chat template, None of a checkpoint without one.
        ends_file: The file in which more end tokens can be named.
        across: Whether its estimates may be compared with those of any other form.
        thinking: `off`, or `allow`: whether it could think before it answered.
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
    """The forms behind two estimates that are compared, each once.

    Args:
        some: The forms behind one estimate; none where its values were not asked of a checkpoint.
        others: Those behind the other.

    Raises:
        SettingsError: Two of them are unlike, and neither may be compared across forms.
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
    # Plain form has no place for a system prompt, and has the ends that the checkpoint has anyway.
    if found == [written] and not (one.system_prompt or other.system_prompt):
        mends.append(_PLAIN)
    raise SettingsError(
        f"{one.model} and {other.model} were not asked alike, so that a difference need not be one of the "
        f"weights: {'; '.join(problem for problem, _ in found)}",
        "; or ".join(dict.fromkeys([*mends, _ACROSS])),
    )


def _other_kind(one: Form, other: Form) -> tuple[str, str] | None:
    """What is wrong and how to mend it, where only one of the two was asked in its chat template."""
    if one.kind == other.kind:
        return None
    plain, chat = (one, other) if one.kind == "plain" else (other, one)
    problem = f"{plain.model} in plain form, {chat.model} in its chat template"
    if plain.source is not None:
        return problem, "ask both in the same form: setting:prompt-form"
    missing = f"{plain.folder}/{TEMPLATE}"
    return f"{problem}: {missing} is missing", _copy(chat, missing)


def _other_template(one: Form, other: Form) -> tuple[str, str] | None:
    """The same, where the two were asked in different chat templates."""
    if one.template == other.template:
        return None
    first, second = (f"{each.source} (SHA-256 {str(each.template)[:12]})" for each in (one, other))
    return (
        f"their chat templates differ: {first} and {second}",
        f"take the same template for both: {_copy(other, f'{one.folder}/{TEMPLATE}')}",
    )


def _other_system_prompt(one: Form, other: Form) -> tuple[str, str] | None:
    """The same, where the two had different system prompts."""
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
    """The same, where the responses of the two end at different tokens."""
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
    """The same, where only one of the two could think before it answered."""
    if one.thinking == other.thinking:
        return None
    problem = f"thoughts are {one.thinking} for {one.model}, {other.thinking} for {other.model}"
    return problem, "give both the same: setting:thinking"


def _copy(chat: Form, place: str) -> str:
    """How a chat template comes to a place."""
    if str(chat.source).endswith(TEMPLATE):
        return f"copy it from {chat.source} to {place}"
    return f'save what "chat_template" says in {chat.source} as {place}'


def _listed(ends: Sequence[str]) -> str:
    return ", ".join(printable(end, 40) or repr(end) for end in ends)
