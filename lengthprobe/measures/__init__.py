"""Measures: one number each about a probe's responses, as an Estimate over topics."""

from lengthprobe.measures.counter_disagreement import counter_disagreement
from lengthprobe.measures.error_growth import error_growth
from lengthprobe.measures.exact_match import exact_match
from lengthprobe.measures.length_error import absolute_error, length_error, raw_length_error
from lengthprobe.measures.misses import cut_off, empty, runaways, short_answers, too_long, too_short
from lengthprobe.measures.preambles import has_preamble, preambles
from lengthprobe.statistics.share import share

__all__ = [
    "absolute_error",
    "counter_disagreement",
    "cut_off",
    "empty",
    "error_growth",
    "exact_match",
    "has_preamble",
    "length_error",
    "preambles",
    "raw_length_error",
    "runaways",
    "share",
    "short_answers",
    "too_long",
    "too_short",
]
