"""Token ids, checked against the rows of the embedding, and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What a reader sees of a token that the tokenizer has no text for.
_NO_TEXT = "\ufffd"


def embedding_rows(model: Any) -> int:
    """The number of tokens known to a model: the rows of its embedding."""
    return int(model.get_input_embeddings().weight.shape[0])


def is_row(token: object, rows: int) -> bool:
    """Whether a value is the id of a token known to the model.

    >>> is_row(7, 8), is_row(8, 8), is_row(-1, 8), is_row(True, 8)
    (True, False, False, False)
    """
    return isinstance(token, int) and not isinstance(token, bool) and 0 <= token < rows


def leave_out_bad_padding(config: Any) -> None:
    """Remove a pad token without a row from a config: the model could not be built.

    Padding is masked, so any other token will do.
    """
    for part in (config, config.get_text_config()):
        rows = getattr(part, "vocab_size", None)
        pad = getattr(part, "pad_token_id", None)
        if pad is not None and isinstance(rows, int) and not is_row(pad, rows):
            part.pad_token_id = None


def check_rows(name: str, tokenizer: Any, tokens: Sequence[int], rows: int) -> None:
    """Check that a model knows the tokens of a text.

    Args:
        name: The checkpoint's name.
        tokenizer: Its tokenizer.
        tokens: The tokens.
        rows: How many tokens the model knows.

    Raises:
        ModelError: A token has no row in the embedding; the message names the token, and both numbers.
    """
    beyond = [token for token in tokens if not is_row(token, rows)]
    if beyond:
        raise ModelError(
            f"the tokenizer of {name} writes token {beyond[0]} "
            f"({tokenizer.convert_ids_to_tokens(beyond[0])}), "
            f"and its model knows {rows} tokens: the embedding has no row for it",
            "the tokenizer belongs to another model: save the right one into the checkpoint's directory; "
            "or tokens were added after training: restore the tokenizer that was trained with",
        )


def set_apart(tokenizer: Any, rows: int) -> dict[int, str]:
    """The tokens outside of ordinary text, each with the text to write instead.

    A special token becomes empty text. A token known only to the model becomes U+FFFD: embeddings are often
    wider than the vocabulary.

    Args:
        tokenizer: The tokenizer.
        rows: How many tokens the model knows.
    """
    special = {token for token, added in tokenizer.added_tokens_decoder.items() if added.special}
    unknown = set(range(rows)) - set(tokenizer.get_vocab().values()) - set(tokenizer.added_tokens_decoder)
    return dict.fromkeys(sorted(unknown), _NO_TEXT) | dict.fromkeys(
        {*special, *tokenizer.all_special_ids}, ""
    )


def text_of(tokenizer: Any, tokens: Sequence[int], apart: Mapping[int, str]) -> str:
    """The text of some tokens. A token left out separates the words beside the token.

    Args:
        tokenizer: The tokenizer.
        tokens: The tokens.
        apart: The result of `set_apart`.
    """
    if apart.keys().isdisjoint(tokens):
        return _decoded(tokenizer, tokens)
    text, run = "", list[int]()
    for token in (*tokens, None):
        if token is not None and token not in apart:
            run.append(token)
            continue
        for piece in (_decoded(tokenizer, run) if run else "", "" if token is None else apart[token]):
            divides = text and piece and not text[-1].isspace() and not piece[0].isspace()
            text += f" {piece}" if divides else piece
        run = []
    return text


def _decoded(tokenizer: Any, tokens: Sequence[int]) -> str:
    text: str = tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text
