"""Prompts as token ids: in the checkpoint's chat template, or as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lengthprobe.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from lengthprobe.models.loading import Checkpoint
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
# Told to every template, which may ignore it. A model that thinks aloud first (Qwen 3) would spend the whole
# token cap on that, so it is asked to answer at once.
TEMPLATE_ARGUMENTS = {"date_string": _DATE["%d %b %Y"], "enable_thinking": False}


def prompt_form(checkpoint: Checkpoint, settings: Settings) -> str:
    """The form in which a checkpoint gets its prompts: `chat` or `plain`.

    Raises:
        SettingsError: The chat form is asked for and there is no template, or a system prompt in plain form.
    """
    form = settings.prompt_form
    if form == "auto":
        form = "plain" if checkpoint.chat_template is None else "chat"
    if form == "chat" and checkpoint.chat_template is None:
        raise SettingsError(f"{checkpoint.name} has no chat template", "--lengthprobe-prompt-form=plain")
    if form == "plain" and settings.system_prompt is not None:
        why = "has no chat template" if checkpoint.chat_template is None else "is asked in plain form"
        raise SettingsError(
            f"a system prompt needs the chat form, and {checkpoint.name} {why}",
            "leave --lengthprobe-system-prompt out, or take a checkpoint with a chat template",
        )
    return form


def render(checkpoint: Checkpoint, prompt: Prompt, settings: Settings) -> tuple[int, ...]:
    """The token ids that a checkpoint reads for a prompt.

    In chat form the template writes every special token, in plain form the tokenizer adds its own: the
    beginning is marked once. An end token that the tokenizer puts after a plain text is left out.

    Raises:
        ModelError: The template raises, or the tokenizer and the model do not belong together.
        SettingsError: The prompt form cannot be had.
    """
    tokenizer = checkpoint.tokenizer
    if prompt_form(checkpoint, settings) == "chat":
        ids = tokenizer(chat_text(checkpoint, prompt, settings), add_special_tokens=False)["input_ids"]
    else:
        ids = tokenizer(prompt.text)["input_ids"]
        while len(ids) > 1 and ids[-1] in checkpoint.end_token_ids:
            ids = ids[:-1]
    rows = checkpoint.model.get_input_embeddings().weight.shape[0]
    if not ids or max(ids) >= rows:
        raise ModelError(
            f"the tokenizer of {checkpoint.name} writes token {max(ids, default=None)}, "
            f"and its model knows {rows} tokens",
            "the tokenizer belongs to another model: save the right one into the checkpoint's directory",
        )
    return tuple(ids)


def chat_text(checkpoint: Checkpoint, prompt: Prompt, settings: Settings) -> str:
    """A prompt as the chat template writes it, up to where the answer begins.

    Raises:
        ModelError: The template raises; its own message is passed on.
    """
    messages = [{"role": "user", "content": prompt.text}]
    if settings.system_prompt is not None:
        messages.insert(0, {"role": "system", "content": settings.system_prompt})
    try:
        text = checkpoint.tokenizer.apply_chat_template(
            messages,
            chat_template=_dated(str(checkpoint.chat_template)),
            add_generation_prompt=True,
            tokenize=False,
            **TEMPLATE_ARGUMENTS,
        )
    # A template is a program of the checkpoint's author, and can fail in any way.
    except Exception as error:
        asked = " with a system prompt" if settings.system_prompt is not None else ""
        raise ModelError(
            f"the chat template of {checkpoint.name} failed{asked}: {error}",
            ("leave --lengthprobe-system-prompt out, or " if asked else "mend the template, or ")
            + "--lengthprobe-prompt-form=plain",
        ) from error
    return str(text)


def _dated(template: str) -> str:
    """A template in which `strftime_now` gives the same day for ever."""
    if "strftime_now" not in template:
        return template
    replaced = "".join(f" | replace({mark!r}, {value!r})" for mark, value in _DATE.items())
    # The line break is the macro's own: the template goes on as at the beginning of a text.
    return f"{{% macro strftime_now(format) %}}{{{{ format{replaced} }}}}{{% endmacro %}}\n{template}"
