"""How the project's prose reads: `python benchmarks/prose.py [ROOT]`, a clone by default this one.

Prints, for README.md, the pages in docs/ and the docstrings under lengthprobe/, the mean length of a sentence
in words, full stop to full stop; for docstrings also the share of words that send a reader back.

Code blocks, tables, headings and pictures are left out. A span of code counts as one word.
"""

from __future__ import annotations

import argparse
import ast
import re
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[1]
# Words that make a reader look for what they stand for.
BACK = ("it", "that", "those", "one", "what", "such")
# A reader pauses at these points, whatever stands behind a bracket or a quotation mark.
_END = re.compile(r"[.!?][)\"'’”*_]*(?=\s+[\"'“‘(*_]*[A-Z0-9]|\s*$)")
_WORD = re.compile(r"[^\W_](?:[\w'’.,:/=%|-]*\w)?")
_FENCED = re.compile(r"^( *)```.*?^ *```[^\S\n]*$", re.MULTILINE | re.DOTALL)
_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SPAN = re.compile(r"``.+?``|`[^`\n]+`")
# Headings of a docstring's sections.
_SECTIONS = ("Args:", "Raises:", "Returns:", "Yields:")
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.)\s+")


def main() -> None:
    """Print one line for each page, and one for all docstrings."""
    parser = argparse.ArgumentParser(description="Mean sentence length, and words that send a reader back.")
    parser.add_argument("root", nargs="?", type=Path, default=ROOT, metavar="ROOT", help="root of a clone")
    root: Path = parser.parse_args().root
    print(f"{'words/sentence':>14}  {'sentences':>9}  page")
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    of_docs: list[str] = []
    for page in pages:
        found = sentences(page.read_text(encoding="utf-8"))
        of_docs += found if page.parent.name == "docs" else []
        print(_row(found, str(page.relative_to(root))))
    print(_row(of_docs, "all pages in docs/"))
    texts = list(docstrings(root / "lengthprobe"))
    print(_row([sentence for text in texts for sentence in sentences(text)], "docstrings in lengthprobe/"))
    counted = [word.lower() for text in texts for word in words(prose(text))]
    print(f"\n{', '.join(BACK)}: {share(counted):.1%} of {len(counted)} words in docstrings")


def sentences(text: str) -> list[str]:
    """The sentences of a Markdown text; items of a list without a full stop belong to one sentence."""
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", prose(text)):
        line = " ".join(paragraph.split())
        start = 0
        for end in _END.finditer(line):
            found.append(line[start : end.end()])
            start = end.end()
        found.append(line[start:])
    return [sentence for sentence in found if words(sentence)]


def prose(text: str) -> str:
    """The text without code blocks, tables, headings and pictures; each span of code becomes one word."""
    text = _PICTURE.sub("", _FENCED.sub("", text))
    lines = [
        "" if line.startswith(("    ", "\t")) and not _ITEM.match(line) else _ITEM.sub("", line)
        for line in text.splitlines()
        if not line.lstrip().startswith(("|", "#", ">>>")) and line.strip() not in _SECTIONS
    ]
    return _LINK.sub(r"\1", _SPAN.sub("Code", "\n".join(lines)))


def words(text: str) -> list[str]:
    """The words of a text: anything between spaces that holds a letter or a digit."""
    return _WORD.findall(text)


def share(counted: Iterable[str]) -> float:
    """The share of words that send a reader back."""
    return mean(word in BACK for word in counted)


def docstrings(package: Path) -> Iterator[str]:
    """The docstrings of a package's modules, classes and functions, cleaned of their indentation."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kinds) and (text := ast.get_docstring(node)):
                # The names of arguments are indented under their heading: prose, and no code.
                yield re.sub(r"^ {4}(?=\S)", "", text, flags=re.MULTILINE)


def _row(found: list[str], name: str) -> str:
    return f"{mean(len(words(sentence)) for sentence in found):14.1f}  {len(found):9}  {name}"


if __name__ == "__main__":
    main()
