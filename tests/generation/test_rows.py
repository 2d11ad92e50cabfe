"""Rows: where padding stands and what the mask says, and halves where memory is out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from lengthprobe.checkpoints.row_limits import RowLimit, RowLimits
from lengthprobe.errors import ModelError, OutOfMemoryError
from lengthprobe.generation.rows import in_batches, pad, run_in_halves, text_too_large
from lengthprobe.plugin.workers import SharedDirectory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lengthprobe.checkpoints.loading import Checkpoint
    from lengthprobe.probe import Probe


@pytest.fixture
def checkpoint(tiny_it: Probe) -> Checkpoint:
    """A checkpoint on a CPU."""
    return tiny_it.checkpoint


def test_prompts_alone_are_padded_on_the_left(checkpoint: Checkpoint) -> None:
    """Every prompt ends in the last column."""
    rows = pad(checkpoint, [(5, 6), (7, 8, 9)])

    assert rows.input_ids.tolist() == [[checkpoint.pad_token_id, 5, 6], [7, 8, 9]]
    assert rows.attention_mask.tolist() == [[0, 1, 1], [1, 1, 1]]
    assert rows.start == 3


def test_texts_alone_are_padded_on_the_right(checkpoint: Checkpoint) -> None:
    """Every text begins in the first column."""
    rows = pad(checkpoint, [(), ()], [(5, 6), (7, 8, 9)])

    assert rows.input_ids.tolist() == [[5, 6, checkpoint.pad_token_id], [7, 8, 9]]
    assert rows.attention_mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert rows.start == 0


def test_texts_after_prompts_begin_in_one_column(checkpoint: Checkpoint) -> None:
    """Prompts are padded on the left, texts on the right."""
    rows = pad(checkpoint, [[5, 6], [7, 8, 9]], [[10, 11], [12]])

    pad_token = checkpoint.pad_token_id
    assert rows.input_ids.tolist() == [[pad_token, 5, 6, 10, 11], [7, 8, 9, 12, pad_token]]
    assert rows.attention_mask.tolist() == [[0, 1, 1, 1, 1], [1, 1, 1, 1, 0]]
    assert rows.start == 3


def test_a_row_without_a_token_is_padding(checkpoint: Checkpoint) -> None:
    """An empty prompt is masked from end to end."""
    rows = pad(checkpoint, [(), (7, 8)])

    assert rows.input_ids.tolist() == [[checkpoint.pad_token_id] * 2, [7, 8]]
    assert rows.attention_mask.tolist() == [[0, 0], [1, 1]]


def test_the_padding_token_is_masked_as_padding_alone(checkpoint: Checkpoint) -> None:
    """A token that the prompt itself has is seen, though padding has the same id."""
    rows = pad(checkpoint, [(checkpoint.pad_token_id, 6), (7, 8, 9)])

    assert rows.attention_mask.tolist() == [[0, 1, 1], [1, 1, 1]]


def test_every_prompt_needs_a_text(checkpoint: Checkpoint) -> None:
    """Prompts and texts of different numbers are an error, and not shortened."""
    with pytest.raises(ValueError, match="shorter"):
        pad(checkpoint, [(5,), (6,)], [(7,)])


def test_ids_and_mask_are_integers_of_one_type(checkpoint: Checkpoint) -> None:
    """Embeddings are looked up by int64, and generate() goes on with the mask in the type that it has."""
    rows = pad(checkpoint, [(5, 6), (7, 8, 9)])

    assert rows.input_ids.dtype == rows.attention_mask.dtype == torch.int64


def test_rows_are_on_the_device_of_their_checkpoint(checkpoint: Checkpoint) -> None:
    """The ids and the mask are where the model's input is read."""
    rows = pad(checkpoint, [(5, 6)])

    assert rows.input_ids.device == rows.attention_mask.device == checkpoint.device


def test_some_rows_keep_their_padding(checkpoint: Checkpoint) -> None:
    """A part of the rows has the columns of the whole."""
    rows = pad(checkpoint, [(5, 6), (7, 8, 9)], [(10,), (11, 12)]).of(slice(1))

    pad_token = checkpoint.pad_token_id
    assert rows.input_ids.tolist() == [[pad_token, 5, 6, 10, pad_token]]
    assert rows.attention_mask.tolist() == [[0, 1, 1, 1, 0]]
    assert rows.start == 3


def test_donors_are_seen_where_their_prompts_are(checkpoint: Checkpoint) -> None:
    """The mask of the rows after the first n ends where the texts begin."""
    rows = pad(checkpoint, [(5, 6), (7, 8, 9), (5,), (7, 8)], [(10,), (11,)] * 2)

    seen = rows.donors_seen(2)

    assert seen is not None
    assert seen.tolist() == [[0, 0, 1], [0, 1, 1]]


def test_without_donors_none_is_seen(checkpoint: Checkpoint) -> None:
    """No row follows the n rows."""
    assert pad(checkpoint, [(5, 6), (7, 8, 9)]).donors_seen(2) is None


def _room_for(most: int) -> tuple[Callable[[Sequence[int]], list[int]], list[list[int]]]:
    """A run that doubles numbers while there are no more of them than so many, and the rows that it tried."""
    tried: list[list[int]] = []

    def run(some: Sequence[int]) -> list[int]:
        tried.append(list(some))
        if len(some) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [2 * number for number in some]

    return run, tried


def _limit(limits: RowLimits | None = None) -> RowLimit:
    return RowLimit(limits, "work")


def _too_large(number: int) -> ModelError:
    return OutOfMemoryError(f"{number} does not fit", "take less")


def test_rows_that_fit_are_run_at_once() -> None:
    """Nothing is halved without need."""
    run, tried = _room_for(5)
    assert run_in_halves(range(5), run, _too_large, _limit()) == [0, 2, 4, 6, 8]
    assert tried == [[0, 1, 2, 3, 4]]


def test_rows_are_halved_until_they_fit() -> None:
    """The first half is the larger, and results keep the order of the rows."""
    run, tried = _room_for(2)
    assert run_in_halves(range(5), run, _too_large, _limit()) == [0, 2, 4, 6, 8]
    assert tried == [[0, 1, 2, 3, 4], [0, 1, 2], [0, 1], [2], [3, 4]]


def test_a_row_that_does_not_fit_alone_is_an_error() -> None:
    """The error is about the first row that was tried alone, and has the allocator's as its cause."""
    run, _ = _room_for(0)
    with pytest.raises(OutOfMemoryError, match="3 does not fit") as raised:
        run_in_halves([3, 4, 5], run, _too_large, _limit())
    assert isinstance(raised.value.__cause__, torch.OutOfMemoryError)


@pytest.mark.parametrize("error", [RuntimeError("the device is gone"), KeyboardInterrupt()], ids=repr)
def test_other_errors_are_not_tried_again(error: BaseException) -> None:
    """Less of what went wrong for another reason goes wrong as well."""
    tried: list[int] = []

    def run(some: Sequence[int]) -> list[int]:
        tried.append(len(some))
        raise error

    with pytest.raises(type(error)) as raised:
        run_in_halves(range(4), run, _too_large, _limit())
    assert raised.value is error
    assert tried == [4]


def test_memory_is_given_back_before_a_half_is_tried() -> None:
    """While halves are run, nothing holds what the whole had made."""
    held: list[bool] = []

    class Buffer:
        """Notes that it is gone."""

        def __del__(self) -> None:
            held.clear()

    def run(some: Sequence[int]) -> list[int]:
        assert not held
        if len(some) > 1:
            buffer = Buffer()
            held.append(True)
            raise torch.OutOfMemoryError("CUDA out of memory", buffer)
        return list(some)

    assert run_in_halves(range(2), run, _too_large, _limit()) == [0, 1]


def test_batches_are_halved_one_by_one() -> None:
    """A batch has at most so many rows, and each is tried whole before it is halved."""
    run, tried = _room_for(2)
    assert in_batches(range(7), 3, run, _too_large, _limit()) == [0, 2, 4, 6, 8, 10, 12]
    assert tried == [[0, 1, 2], [0, 1], [2], [3, 4, 5], [3, 4], [5], [6]]


def test_no_rows_are_no_batch() -> None:
    """Nothing is run for no rows."""
    run, tried = _room_for(2)
    assert in_batches([], 3, run, _too_large, _limit()) == []
    assert tried == []


def test_a_text_that_is_too_large(checkpoint: Checkpoint) -> None:
    """The error names the checkpoint, the device and the tokens, and says what to type."""
    error = text_too_large(checkpoint, 17)

    assert error.problem == "tiny-it runs out of memory on cpu with a single text of 17 tokens"
    assert error.fix == (
        "free the device, take a smaller format (--lengthprobe-dtype=bfloat16), or more devices "
        "(--lengthprobe-device-map=balanced)"
    )


def test_a_number_of_rows_that_failed_is_not_tried_again() -> None:
    """The second batch is halved at once, into the pieces that trying would have left."""
    run, tried = _room_for(2)

    found = in_batches(range(10), 5, run, _too_large, _limit(RowLimits()))

    assert found == [2 * number for number in range(10)]
    assert [len(some) for some in tried] == [5, 3, 2, 1, 2, 2, 1, 2]


def test_a_single_row_is_always_tried() -> None:
    """Its error names the row."""
    limit = _limit(RowLimits())
    run, tried = _room_for(0)
    for _ in range(2):
        with pytest.raises(OutOfMemoryError, match="3 does not fit"):
            run_in_halves([3, 4], run, _too_large, limit)

    assert tried == [[3, 4], [3], [3]]


def test_rows_of_another_width_have_a_limit_of_their_own() -> None:
    """Up to the next power of two: 40 tokens are as 60, and 5 are not."""
    limit = RowLimit(RowLimits(), "texts", lambda row: row)
    limit.note([40, 20])

    assert [limit.has_failed(rows) for rows in ([60, 3], [60], [5, 5])] == [True, False, False]


def test_another_process_has_the_same_limit(tmp_path: Path) -> None:
    """The smallest number counts, by kind of work."""
    exchanges = [SharedDirectory(tmp_path), SharedDirectory(tmp_path)]
    first, second = (RowLimits(exchange.smallest) for exchange in exchanges)
    first.smallest("work", 8)
    second.smallest("work", 16)

    assert [each.smallest("work") for each in (first, second)] == [8, 8]
    assert second.smallest("other work") is None
