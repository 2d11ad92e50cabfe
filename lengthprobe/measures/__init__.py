"""Measures: one number each about a probe's responses, as an Estimate over topics."""

from lengthprobe.measures.attribution.attention_to_number import (
    attention_share_of_distractor,
    attention_share_of_number,
    attention_to_number,
)
from lengthprobe.measures.attribution.cwa import (
    early_heads_cwa,
    early_mlps_cwa,
    final_mlp_cwa,
    heads_rise,
    late_heads_cwa,
)
from lengthprobe.measures.attribution.fall_of_share import fall_of_share
from lengthprobe.measures.attribution.number_swap import (
    early_heads_number_swap,
    final_mlp_number_swap,
    late_heads_number_swap,
)
from lengthprobe.measures.attribution.stop_cwa import (
    early_heads_stop_cwa,
    early_mlps_stop_cwa,
    final_mlp_stop_cwa,
    late_heads_stop_cwa,
)
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
    "early_heads_cwa",
    "early_heads_number_swap",
    "early_heads_stop_cwa",
    "early_mlps_cwa",
    "early_mlps_stop_cwa",
    "empty",
    "error_by_tokens_per_word",
    "error_growth",
    "error_with_words",
    "exact_match",
    "faithfulness",
    "fall_of_share",
    "final_mlp_cwa",
    "final_mlp_number_swap",
    "final_mlp_stop_cwa",
    "has_preamble",
    "heads_rise",
    "late_heads_cwa",
    "late_heads_number_swap",
    "late_heads_stop_cwa",
    "leading_components",
    "length_error",
    "preambles",
    "raw_length_error",
    "redundancy",
    "runaways",
    "share",
    "short_answers",
    "text_loss_rise",
    "tokenization_gap",
    "too_long",
    "too_short",
    "unfinished_thoughts",
]
