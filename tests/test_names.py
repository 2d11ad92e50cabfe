"""Every public name of lengthprobe means one thing, and says what it gives or does."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import lengthprobe

ROOT = Path(lengthprobe.__file__).parent
# Every figure has a function of each of these names: the page draws all figures by these two.
INTERFACE = {"caption", "figure"}
PREPOSITIONS = re.compile(
    r"about|above|after|against|alone|at|before|beside|between|by|during|for|from|"
    r"in|into|of|off|on|over|under|until|up|while|with|within|without|few|"
    r"together"
)
IRREGULAR = re.compile(
    r"asked|bound|built|chosen|drawn|felt|found|given|held|hidden|kept|known|left|"
    r"lost|made|meant|met|said|seen|sent|shown|spent|stood|taken|thought|told|"
    r"understood|unheard|written"
)
# Nouns and verbs that end as a participle does, and nouns that are spelled as one.
NO_PARTICIPLES = {"thought", "embed", "need", "feed", "seed", "string"}


def test_no_public_name_is_defined_twice():
    """A function or class that stands in two modules would have two meanings."""
    places = defaultdict(list)
    for path, node in _definitions():
        places[node.name].append(path)
    twice = {name: found for name, found in places.items() if len(found) > 1 and name not in INTERFACE}
    assert not twice


def test_no_function_is_named_by_a_preposition_or_a_participle():
    """A function that returns a value is named by a noun, and one that acts by a verb."""
    names = {node.name for _, node in _definitions() if isinstance(node, ast.FunctionDef)}
    assert len(names) > 300
    assert not {name for name in names if _says_neither(name)}


def test_what_counts_as_a_preposition_or_a_participle():
    """Names as they once were, and names that replaced them."""
    assert all(
        map(_says_neither, ("told", "beside", "shown", "asking", "called", "few", "handed_over", "made_in"))
    )
    assert not any(map(_says_neither, ("lineage_option", "show_beside", "thought", "limited_to_one")))


def _definitions():
    """Every public function and class of the package's modules, with its module."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                yield path, node


def _says_neither(name):
    """Whether a function's name has neither a noun nor a verb."""
    return all(_is_preposition(word) or _is_participle(word) for word in name.split("_"))


def _is_preposition(word):
    return bool(PREPOSITIONS.fullmatch(word))


def _is_participle(word):
    return word not in NO_PARTICIPLES and bool(
        IRREGULAR.fullmatch(word) or re.fullmatch(r"\w{3,}(ed|ing)", word)
    )
