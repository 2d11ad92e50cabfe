"""The rendered prompt, checked once a checkpoint: the prompt holds the request, and the answer comes next."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.chat.template import conversation, messages_of, template_file
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lengthprobe.checkpoints.files import Files

# Stands for an answer, to see where a template puts one.
ANSWER = "Waves sing softly"


@dataclass(frozen=True, slots=True)
class Rendered:
    """Requests as a chat template writes them.

    Args:
        texts: Each request within the template's text, up to where the answer begins.
        in_parts: Whether the template wants the content of a message as a list of parts, and not as a string.
    """

    texts: tuple[str, ...]
    in_parts: bool


def rendered_prompts(
    files: Files, tokenizer: Any, template: str, requests: Sequence[str], system: str | None
) -> Rendered:
    """Some requests as a chat template writes them, checked.

    Some templates read the content of a message as a list of parts, and print nothing for a string (vllm
    #9294). A string is tried first.

    Args:
        files: The checkpoint.
        tokenizer: Its tokenizer.
        template: Its chat template.
        requests: Texts to be asked.
        system: The system prompt, None without one.

    Raises:
        ModelError: Neither the string nor the list becomes a prompt; the message names the template and its
            file.
    """
    try:
        return Rendered(
            _checked(files, tokenizer, template, requests, system, in_parts=False), in_parts=False
        )
    except ModelError:
        try:
            texts = _checked(files, tokenizer, template, requests, system, in_parts=True)
        except ModelError:
            pass
        else:
            return Rendered(texts, in_parts=True)
        raise


def _checked(
    files: Files,
    tokenizer: Any,
    template: str,
    requests: Sequence[str],
    system: str | None,
    *,
    in_parts: bool,
) -> tuple[str, ...]:
    path = template_file(files)
    who = f"the chat template of {files.source.name} ({path})"
    mend = f"mend {path.name}, or setting:prompt-form=plain"
    if not template.strip():
        raise ModelError(
            f"{who} is empty", f"restore {path.name} from its source, or setting:prompt-form=plain"
        )
    rendered = []
    for request in requests:
        text = _prompt(tokenizer, template, request, system, in_parts=in_parts, who=who, mend=mend)
        # Printed as data, a part has the request in it too.
        if request.strip() not in text or (in_parts and any(form in text for form in _as_data(request))):
            raise ModelError(f"{who} changes what it is given: {request!r} is not in it", mend)
        rendered.append(text)
    if len(set(rendered)) < len(set(requests)):
        raise ModelError(f"{who} renders different requests alike", mend)
    if system is not None and system.strip() not in rendered[0]:
        raise ModelError(
            f"{who} leaves the system prompt out: {system!r} is not in it",
            "leave setting:system-prompt out, or mend " + path.name,
        )
    if wrong := _wrong_end(tokenizer, template, requests[0], rendered[0], system, in_parts=in_parts):
        raise ModelError(f"{who} {wrong}", mend)
    return tuple(rendered)


def _as_data(request: str) -> tuple[str, str]:
    """A part with the request in it, as written by Python and by JSON."""
    return f"'text': {request!r}", f'"text": {json.dumps(request, ensure_ascii=False)}'


def _prompt(
    tokenizer: Any, template: str, request: str, system: str | None, *, in_parts: bool, who: str, mend: str
) -> str:
    with_system = "" if system is None else " with a system prompt"
    try:
        return conversation(
            tokenizer, template, messages_of(request, system, in_parts=in_parts), generation=True
        )
    except ModelError as error:
        raise ModelError(
            f"{who} failed{with_system}: {error.problem}",
            f"leave setting:system-prompt out, or {mend}" if with_system else mend,
        ) from error


def _wrong_end(
    tokenizer: Any, template: str, request: str, text: str, system: str | None, *, in_parts: bool
) -> str | None:
    """The fault at the end of a rendered prompt, None where the assistant's answer comes next.

    A template need not open the assistant's turn: in Llama 2 the answer stands right after the user's turn.
    Where the template cannot render a closed or answered turn, the end is taken for right.
    """
    try:
        closed = conversation(
            tokenizer, template, messages_of(request, system, in_parts=in_parts), generation=False
        )
    except ModelError:
        return None
    try:
        answered = conversation(
            tokenizer,
            template,
            messages_of(request, system, answer=ANSWER, in_parts=in_parts),
            generation=False,
        )
    except ModelError:
        # Made for one turn alone.
        answered = ""
    before, answer, _ = answered.rpartition(ANSWER)
    if answer and before.rstrip() == text.rstrip():
        return None
    if closed == text:
        if answer and before.startswith(text.rstrip()):
            header = before[len(text.rstrip()) :].strip()
            return (
                f"does not open the assistant's turn: add_generation_prompt changes nothing, and {header!r} "
                "stands between a prompt and its answer"
            )
        end = tokenizer.eos_token
        if end and text.rstrip().endswith(end):
            return f"does not open the assistant's turn: a prompt ends with {end}"
    elif closed.startswith(text.rstrip()):
        return "opens the assistant's turn where add_generation_prompt is false, and not where it is true"
    return None
