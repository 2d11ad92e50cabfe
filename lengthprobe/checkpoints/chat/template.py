"""Prompts as token ids: in the checkpoint's chat template, or as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.chat.thinking import SWITCHES, check_thinking
from lengthprobe.checkpoints.disk.weights import read_json
from lengthprobe.checkpoints.text_alone import sees
from lengthprobe.checkpoints.time_limit import OutOfTime, time_limit
from lengthprobe.checkpoints.tokenizers.token_ids import check_rows, embedding_rows
from lengthprobe.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lengthprobe.checkpoints.files import Files
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.settings import Settings
    from lengthprobe.task.prompts import Prompt

# Some templates write today's date into the system message. A response must not hang on the day of the run,
# so every run has the day that Llama 3.1's template falls back to.
_DATE = {
    "%d %b %Y": "26 Jul 2024",
    "%F": "2024-07-26",
    "%Y": "2024",
    "%y": "24",
    "%m": "07",
    "%B": "July",
    "%b": "Jul",
    "%d": "26",
    "%-d": "26",
    "%A": "Friday",
    "%a": "Fri",
    "%H": "12",
    "%M": "00",
    "%S": "00",
}
# Where a processor kept its template before transformers 4.53.
_PROCESSOR = "chat_template.json"
# A healthy template takes some milliseconds.
_LONGEST_S = 5.0


def template_arguments(thinking: str) -> dict[str, Any]:
    """The arguments of every template; a template ignores unknown arguments.

    A thought would use up the whole token cap. So a model is asked to answer at once, unless thoughts are
    allowed.
    """
    return {"date_string": _DATE["%d %b %Y"]} | dict.fromkeys(SWITCHES, thinking == "allow")


def prompt_form(checkpoint: Checkpoint, settings: Settings) -> str:
    """The form in which a checkpoint gets its prompts: `chat` or `plain`.

    Raises:
        SettingsError: The chat form is asked for and there is no template, or a system prompt in plain form.
    """
    form = settings.prompt_form
    if form == "auto":
        form = "plain" if checkpoint.chat_template is None else "chat"
    if form == "chat" and checkpoint.chat_template is None:
        raise SettingsError(f"{checkpoint.name} has no chat template", "setting:prompt-form=plain")
    if form == "plain" and settings.system_prompt is not None:
        why = "has no chat template" if checkpoint.chat_template is None else "is asked in plain form"
        raise SettingsError(
            f"a system prompt needs the chat form, and {checkpoint.name} {why}",
            "leave setting:system-prompt out, or take a checkpoint with a chat template",
        )
    return form


def render(checkpoint: Checkpoint, prompt: Prompt, settings: Settings) -> tuple[int, ...]:
    """The token ids of a prompt, as a checkpoint reads them.

    In chat form the template writes every special token, in plain form the tokenizer adds its own: the
    beginning is marked once. An end token after a plain text is left out.

    Raises:
        ModelError: The template raises, or leaves the request out, or the tokenizer and the model do not
            belong together.
        SettingsError: The prompt form cannot be had.
    """
    tokenizer = checkpoint.tokenizer
    text = None
    if prompt_form(checkpoint, settings) == "chat":
        text = chat_text(checkpoint, prompt, settings)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    else:
        ids = tokenizer(prompt.text)["input_ids"]
        while len(ids) > 1 and ids[-1] in checkpoint.end_token_ids:
            ids = ids[:-1]
    if not ids:
        raise ModelError(
            f"the tokenizer of {checkpoint.name} makes no token of a prompt",
            "copy or download its files again, or save it anew with tokenizer.save_pretrained",
        )
    check_rows(checkpoint.name, tokenizer, ids, embedding_rows(checkpoint.model))
    # A template may shorten long requests alone.
    if text is not None and prompt.text.strip() not in text:
        raise ModelError(
            f"the chat template of {checkpoint.name} changes what it is given: {prompt.text!r} is not in it",
            "mend the template, or setting:prompt-form=plain",
        )
    return tuple(ids)


def chat_text(checkpoint: Checkpoint, prompt: Prompt, settings: Settings) -> str:
    """A prompt within the chat template's text, up to where the answer begins.

    Raises:
        ModelError: The template raises; its own message is passed on.
    """
    messages = messages_of(prompt.text, settings.system_prompt, in_parts=checkpoint.in_parts)
    with_system = " with a system prompt" if settings.system_prompt is not None else ""
    try:
        return conversation(
            checkpoint.tokenizer,
            str(checkpoint.chat_template),
            messages,
            generation=True,
            thinking=settings.thinking,
        )
    except ModelError as error:
        raise ModelError(
            f"the chat template of {checkpoint.name} failed{with_system}: {error.problem}",
            ("leave setting:system-prompt out, or " if with_system else "mend the template, or ")
            + "setting:prompt-form=plain",
        ) from error


def messages_of(
    request: str, system: str | None = None, *, answer: str | None = None, in_parts: bool = False
) -> list[dict[str, Any]]:
    """The turns of a conversation.

    Args:
        request: The user's text.
        system: The system prompt, None without one.
        answer: The assistant's text, None where the answer is still to come.
        in_parts: Whether each content is a list with one part, and not a string.
    """
    turns = (("system", system), ("user", request), ("assistant", answer))
    return [
        {"role": role, "content": [{"type": "text", "text": text}] if in_parts else text}
        for role, text in turns
        if text is not None
    ]


def template_file(files: Files) -> Path:
    """The file with a checkpoint's chat template."""
    if files.gguf is not None:
        return files.gguf.path
    own, config = files.tokenizer / "chat_template.jinja", files.tokenizer / "tokenizer_config.json"
    if own.is_file():
        return own
    stated = read_json(config).get("chat_template") if config.is_file() else None
    return config if stated is not None or processor_template(files) is None else files.tokenizer / _PROCESSOR


def processor_template(files: Files) -> str | None:
    """The chat template in the processor's file, for a model with vision.

    None without such a file, and for a model without vision.

    Raises:
        ModelError: The file can be read as no JSON object, or holds no template.
    """
    path = files.tokenizer / _PROCESSOR
    if not path.is_file() or not sees(files.config):
        return None
    stated = read_json(path).get("chat_template")
    if isinstance(stated, str):
        return stated
    raise ModelError(
        f"{path} holds no chat template: its chat_template is {str(stated)[:40]!r}",
        f"restore {path.name} from its source, or remove it and setting:prompt-form=plain",
    )


def refuse_two_templates(files: Files) -> None:
    """Check that two files of a checkpoint do not hold two chat templates.

    transformers takes chat_template.jinja, and other programs tokenizer_config.json.

    Raises:
        ModelError: The two files hold unlike templates.
    """
    own, config = files.tokenizer / "chat_template.jinja", files.tokenizer / "tokenizer_config.json"
    if not own.is_file() or not config.is_file():
        return
    stated = read_json(config).get("chat_template")
    # White space around it is the editor's.
    if isinstance(stated, str) and stated.strip() != own.read_text(encoding="utf-8").strip():
        raise ModelError(
            f"{files.tokenizer} has two chat templates: {own.name}, and chat_template in {config.name}",
            f"remove the one that the model was not trained with: delete {own.name}, or take chat_template "
            f"out of {config.name}",
        )


def conversation(
    tokenizer: Any,
    template: str,
    messages: Sequence[Mapping[str, Any]],
    *,
    generation: bool,
    thinking: str = "off",
) -> str:
    """The text of a conversation, written by a chat template.

    Args:
        tokenizer: The tokenizer, whose special tokens the template may name.
        template: The template.
        messages: The turns.
        generation: Whether the assistant's turn is opened at the end.
        thinking: `off` or `allow`, as in `Settings`.

    Raises:
        ModelError: The template raises, or takes too long; the problem is its own message.
    """
    try:
        with time_limit(_LONGEST_S):
            text = tokenizer.apply_chat_template(
                messages,
                chat_template=_dated(template),
                add_generation_prompt=generation,
                tokenize=False,
                **template_arguments(thinking),
            )
    except OutOfTime as error:
        raise ModelError(f"it takes more than {_LONGEST_S:g} seconds for one prompt") from error
    # A template is a program of the checkpoint's author, and can fail in any way.
    except Exception as error:
        raise ModelError(str(error) or type(error).__name__) from error
    return str(text)


def opens_thought(checkpoint: Checkpoint, prompt: Prompt, settings: Settings) -> bool:
    """Whether the chat template's text after a prompt opens a thought.

    Raises:
        ModelError: The errors of `check_thinking` and `chat_text`.
    """
    if prompt_form(checkpoint, settings) != "chat":
        return False
    _, _, after = chat_text(checkpoint, prompt, settings).rpartition(prompt.text.strip())
    return check_thinking(checkpoint, after, settings)


def _dated(template: str) -> str:
    """A template in which `strftime_now` gives the same day for ever."""
    if "strftime_now" not in template:
        return template
    replaced = "".join(f" | replace({mark!r}, {value!r})" for mark, value in _DATE.items())
    # The line break is the macro's own: the template goes on as at the beginning of a text.
    return f"{{% macro strftime_now(format) %}}{{{{ format{replaced} }}}}{{% endmacro %}}\n{template}"
