"""Ends: the tokens that end a response, from every place in a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.chat.rendered import ANSWER
from lengthprobe.checkpoints.chat.template import conversation, messages_of
from lengthprobe.checkpoints.disk.weights import read_json
from lengthprobe.checkpoints.gguf.header import ANOTHER
from lengthprobe.checkpoints.gguf.tokenizer import end_keys, gguf_ends
from lengthprobe.checkpoints.tokenizers.token_ids import is_row
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lengthprobe.checkpoints.files import Files
    from lengthprobe.checkpoints.gguf.header import Gguf

_KEY = "eos_token_id"


@dataclass(frozen=True, slots=True)
class Ends:
    """The tokens that end a response.

    Args:
        token_ids: All end tokens, the generation config's first.
        told: Which place names which end tokens, where the places do not agree; else empty.
    """

    token_ids: tuple[int, ...]
    told: str


def ends_of(
    files: Files,
    stated: Mapping[str, Any],
    tokenizer: Any,
    template: str | None,
    rows: int,
    *,
    in_parts: bool = False,
) -> Ends:
    """The end tokens of a response: every token that any part of the checkpoint names.

    The config of a chat model often names the end token of the base, while the chat model ends a turn with
    another token. With an end token missing here, the answer would run to the cap, and a healthy model would
    be called broken.

    Args:
        files: The checkpoint.
        stated: The generation config.
        tokenizer: Its tokenizer.
        template: Its chat template, None without one.
        rows: How many tokens the model knows.
        in_parts: Whether the template wants the content of a message as a list of parts.

    Raises:
        ModelError: No end token is named, or a named id is no token of the model; the message has the file
            and the key.
    """
    generation = files.directory / "generation_config.json"
    config = files.directory / "config.json"
    by_place: dict[str, tuple[int, ...]] = {}
    mend = f'name it in {generation}: {{"{_KEY}": …}}'
    if files.gguf is not None:
        generation = config = files.gguf.path
        raw: dict[str, Any] = {_KEY: _of_gguf(files.gguf, rows)}
        mend = (
            f"write it into another file: gguf-new-metadata --special-token eos '<its text>' {config} <file>"
        )
    else:
        raw = read_json(config)
    if files.gguf is None and generation.is_file():
        by_place[generation.name] = _read(generation, stated.get(_KEY), rows)
    inner = raw.get("text_config")
    named = raw.get(_KEY)
    if named is None and isinstance(inner, dict):
        named = inner.get(_KEY)
    by_place[config.name] = _read(config, named, rows)
    eos = tokenizer.eos_token_id
    # A token that the model has no row for cannot be written, and ends nothing.
    turn = _turn_end(tokenizer, template, in_parts=in_parts) if template else None
    for place, end in (("the tokenizer", eos), ("the chat template", turn)):
        by_place[place] = (end,) if end is not None and is_row(end, rows) else ()
    if not any(by_place.values()) and _KEY not in raw:
        # A config leaves out what its class takes for granted.
        default = getattr(files.config.get_text_config(), _KEY, None)
        by_place[config.name] = _read(config, default, rows)
    union = tuple(dict.fromkeys(token for tokens in by_place.values() for token in tokens))
    if not union:
        raise ModelError(
            f"{files.source.name} has no end token: its generation config, config and tokenizer name none "
            "that the model knows",
            mend,
        )
    return Ends(union, _told(by_place, union, tokenizer))


def _of_gguf(gguf: Gguf, rows: int) -> list[int]:
    """The end tokens of a GGUF file, without ids beyond the model's rows.

    Raises:
        ModelError: The header names an id beyond the model's tokens.
    """
    keys = end_keys(gguf)
    ends = gguf_ends(gguf)
    for end in ends:
        if end in keys and not is_row(end, rows):
            raise ModelError(
                f"{gguf.path} names {end!r} as {keys[end]}, and the model's tokens are numbered 0 to "
                f"{rows - 1}",
                ANOTHER,
            )
    return [end for end in ends if is_row(end, rows)]


def _read(path: Path, named: object, rows: int) -> tuple[int, ...]:
    """The end tokens named in a file.

    Raises:
        ModelError: A named id is no token of the model.
    """
    ends = named if isinstance(named, list) else [] if named is None else [named]
    for end in ends:
        if not is_row(end, rows):
            raise ModelError(
                f"{path} names {end!r} as {_KEY}, and the model's tokens are numbered 0 to {rows - 1}",
                f'mend {path.name}: "{_KEY}" is the id of the token that ends a response, or a list of ids',
            )
    return tuple(ends)


def _turn_end(tokenizer: Any, template: str, *, in_parts: bool) -> int | None:
    """The token with which a template closes the assistant's turn, or None.

    Every added token counts, marked as special or not: no added token is ordinary text.
    """
    messages = messages_of("Hello", answer=ANSWER, in_parts=in_parts)
    try:
        text = conversation(tokenizer, template, messages, generation=False)
    except ModelError:
        # Whether prompts can be rendered is looked at elsewhere.
        return None
    _, answer, tail = text.rpartition(ANSWER)
    if not answer or not tail.strip():
        return None
    tokens = tokenizer(tail.lstrip(), add_special_tokens=False)["input_ids"]
    return tokens[0] if tokens and tokens[0] in tokenizer.added_tokens_decoder else None


def _told(by_place: Mapping[str, tuple[int, ...]], union: tuple[int, ...], tokenizer: Any) -> str:
    """The places with their end tokens, in words, where the first place does not name all end tokens."""
    naming = {place: tokens for place, tokens in by_place.items() if tokens}
    if set(next(iter(naming.values()))) == set(union):
        return ""
    phrases = (
        f"{place} {', '.join(f'{tokenizer.convert_ids_to_tokens(token)} ({token})' for token in tokens)}"
        for place, tokens in naming.items()
    )
    return f"named differently, and each ends a response: {'; '.join(phrases)}"
