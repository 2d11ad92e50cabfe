"""The form in which a checkpoint is asked, found out from the loaded checkpoint."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from lengthprobe.statistics.forms import Form

if TYPE_CHECKING:
    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.settings import Settings


def checkpoint_form(checkpoint: Checkpoint, settings: Settings) -> Form:
    """The form in which a loaded checkpoint is asked under some settings.

    Raises:
        SettingsError: The prompt form cannot be had.
    """
    # It imports torch, which a reader of answers has no need of.
    from lengthprobe.checkpoints.chat.template import prompt_form, template_file

    files, template = checkpoint.files, checkpoint.chat_template
    kind = prompt_form(checkpoint, settings)
    # What an editor leaves at the end of a file is no other template.
    digest = sha256(template.rstrip().encode()).hexdigest() if template and kind == "chat" else None
    return Form(
        model=checkpoint.name,
        kind=kind,
        template=digest,
        system_prompt=settings.system_prompt,
        ends=tuple(sorted({_text(checkpoint, end) for end in checkpoint.end_token_ids})),
        folder=str(files.tokenizer if files.gguf is None else files.directory),
        source=str(template_file(files)) if template else None,
        ends_file=str(files.gguf.path if files.gguf else files.directory / "generation_config.json"),
        thinking=settings.thinking,
    )


def _text(checkpoint: Checkpoint, end: int) -> str:
    """The text of an end token; tokenizers may give different numbers to a text."""
    text = checkpoint.tokenizer.decode([end], skip_special_tokens=False, clean_up_tokenization_spaces=False)
    # A model may have rows that its tokenizer has no token for.
    return str(text) or f"token {end}"
