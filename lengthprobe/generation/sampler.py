"""Sampler: each response is drawn by numbers of its own, whatever the batch around the response.

A token is drawn by the Gumbel-max trick (Gumbel 1954; Maddison et al. 2014, arXiv:1411.0030): where G has a
standard Gumbel distribution for each token, argmax(logit + G) has the softmax of the logits. So greedy
decoding of perturbed logits draws an exact sample. The G of a token hang on the seed, the prompt, the number
of the sample, the step and the token, and on nothing else. Two checkpoints with the same seed are drawn with
the same G: equal checkpoints give equal responses, and like checkpoints give like responses.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import torch
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from lengthprobe.sampling import Sampling

# SplitMix64 (Steele, Lea and Flood 2014, OOPSLA, 453-472), as integers with a sign.
_GAMMA = 0x9E3779B97F4A7C15 - (1 << 64)
_FIRST = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND = 0x94D049BB133111EB - (1 << 64)
# With so many bits and a half, a float64 is exact.
_BITS = 52


class Sampler(LogitsProcessor):
    """Makes the best token of every row a draw from the row's distribution, for one generation.

    Args:
        sampling: The distribution.
        keys: The key of each of n rows (`row_key`).
        width: The tokens of each row before its response.
    """

    def __init__(self, sampling: Sampling, keys: Sequence[int], width: int) -> None:
        self._warpers = warpers(sampling)
        self._keys = torch.tensor(list(keys), dtype=torch.int64)
        self._width = width

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """The filtered logits with noise, [n, V], in float64: a tie would not be a draw."""
        step = input_ids.shape[1] - self._width
        noise = gumbel(self._keys, step, scores.shape[-1], scores.device)
        return self._warpers(input_ids, scores.float()).to(noise.dtype) + noise


def warpers(sampling: Sampling) -> LogitsProcessorList:
    """The processors that divide logits by the temperature, then cut to top-k, then to top-p."""
    every: list[LogitsProcessor] = [TemperatureLogitsWarper(sampling.temperature)]
    every += [] if sampling.top_k is None else [TopKLogitsWarper(sampling.top_k)]
    every += [] if sampling.top_p == 1 else [TopPLogitsWarper(sampling.top_p)]
    return LogitsProcessorList(every)


def row_key(seed: int, prompt_id: str, sample: int) -> int:
    """The key of a response's noise: a whole number of 64 bits, with a sign."""
    digest = sha256(f"{seed} {prompt_id} {sample}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def gumbel(keys: Tensor, step: int, n_tokens: int, device: torch.device) -> Tensor:
    """Standard Gumbel noise for each token at a step of some rows, [n, V], in float64.

    Args:
        keys: The key of each row, [n], int64.
        step: The number of tokens written before.
        n_tokens: V.
        device: The device of the noise; the values are the same on every device but for the last bits.
    """
    if device.type == "mps":
        # Apple's devices have no float64.
        return gumbel(keys, step, n_tokens, torch.device("cpu")).float().to(device)
    keys = keys.to(device)
    states = _mixed(keys + torch.full_like(keys, step + 1) * _GAMMA)
    tokens = torch.arange(1, n_tokens + 1, dtype=torch.int64, device=device)
    bits = _mixed(states[:, None] + tokens * _GAMMA)
    # Strictly between 0 and 1.
    uniform = (_shifted(bits, 64 - _BITS).double() + 0.5) * 2.0**-_BITS
    return -torch.log(-torch.log(uniform))


def _mixed(bits: Tensor) -> Tensor:
    """The output of SplitMix64 for a state; products wrap around at 64 bits."""
    bits = (bits ^ _shifted(bits, 30)) * _FIRST
    bits = (bits ^ _shifted(bits, 27)) * _SECOND
    return bits ^ _shifted(bits, 31)


def _shifted(bits: Tensor, by: int) -> Tensor:
    """The bits shifted to the right, with zeros from the left."""
    return (bits >> by) & ((1 << (64 - by)) - 1)
