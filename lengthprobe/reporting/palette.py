"""The colours of the figures: few, told apart by colour-blind readers, and each with a name on the page."""

from __future__ import annotations

PAPER = "#ffffff"
INK = "#1b2530"
MUTED = "#5a6673"
RULE = "#d5dae0"
LATE = "#f0f2f5"

# Okabe and Ito's blue and vermillion, and a grey: apart in hue, in lightness and in print.
BLUE = "#0072b2"
VERMILLION = "#d55e00"
GREY = "#6f7782"

# From against to for: the same two hues, zero at white, as dark at one end as at the other.
DIVERGING = (
    "#5f2a00",
    "#a84600",
    "#d97a2e",
    "#f3c49c",
    "#ffffff",
    "#a8cfe8",
    "#3f93c7",
    "#00609c",
    "#00325a",
)
# The cells of a map keep their colours on a dark page, and so do the numbers in the cells.
ON_LIGHT = "#101820"
ON_DARK = "#fdfdfe"

# A figure on the page takes its colours from the page, which may be dark; a file of its own has these.
NAMES = {
    PAPER: "paper",
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    LATE: "late",
    BLUE: "blue",
    VERMILLION: "vermillion",
    GREY: "grey",
}
