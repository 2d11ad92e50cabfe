"""Measures: each gives a number about a probe's responses, as an Estimate over topics."""

from typing import TYPE_CHECKING

from lengthprobe.measures.attribution.attention_to_number import (
    attention_share_of_distractor,
    attention_share_of_number,
    attention_to_number,
)
from lengthprobe.measures.attribution.cwa import cwa
from lengthprobe.measures.attribution.fall_of_share import fall_of_share
from lengthprobe.measures.attribution.number_swap import number_swap
from lengthprobe.measures.attribution.stop_cwa import stop_cwa
from lengthprobe.measures.behaviour.counter_disagreement import counter_disagreement
from lengthprobe.measures.behaviour.error_by_tokens_per_word import error_by_tokens_per_word
from lengthprobe.measures.behaviour.error_growth import error_growth
from lengthprobe.measures.behaviour.exact_match import exact_match
from lengthprobe.measures.behaviour.length_error import absolute_error, length_error, raw_length_error
from lengthprobe.measures.behaviour.misses import cut_off, empty, runaways, short_answers, too_long, too_short
from lengthprobe.measures.behaviour.preambles import has_preamble, preambles
from lengthprobe.measures.behaviour.tokenization_gap import error_with_words, tokenization_gap
from lengthprobe.measures.behaviour.unfinished_thoughts import unfinished_thoughts
from lengthprobe.measures.causality.backup import backup_components, backup_effect, compensation, redundancy
from lengthprobe.measures.causality.control import (
    control,
    control_with_only,
    control_without,
    control_without_random,
)
from lengthprobe.measures.causality.faithfulness import faithfulness
from lengthprobe.measures.causality.leading import leading_components
from lengthprobe.measures.causality.text_loss import text_loss_rise
from lengthprobe.statistics.share import share

__all__ = [
    "absolute_error",
    "attention_share_of_distractor",
    "attention_share_of_number",
    "attention_to_number",
    "backup_components",
    "backup_effect",
    "compensation",
    "control",
    "control_with_only",
    "control_without",
    "control_without_random",
    "counter_disagreement",
    "cut_off",
    "cwa",
    "empty",
    "error_by_tokens_per_word",
    "error_growth",
    "error_with_words",
    "exact_match",
    "faithfulness",
    "fall_of_share",
    "has_preamble",
    "leading_components",
    "length_error",
    "number_swap",
    "preambles",
    "raw_length_error",
    "redundancy",
    "runaways",
    "share",
    "short_answers",
    "stop_cwa",
    "text_loss_rise",
    "tokenization_gap",
    "too_long",
    "too_short",
    "unfinished_thoughts",
]

# A type checker that saw it would let every name pass.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Refuse a name that no measure has.

        Raises:
            MeasureError: The message has the nearest name.
        """
        # Python itself asks for these, and takes no for an answer.
        if name.startswith("__"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        # Imported above, they would be names of this module too.
        from lengthprobe.errors import MeasureError
        from lengthprobe.nearest import nearest

        near = nearest(name, __all__)
        raise MeasureError(
            f"measures.{name}: no measure is called {name!r}",
            f"did you mean {near}?" if near else f"known: {', '.join(__all__)}",
        )
