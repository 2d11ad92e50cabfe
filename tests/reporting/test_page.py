"""The folder of a report, and the page in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata

import pytest

from lengthprobe.reporting import page
from lengthprobe.reporting.page import write_report

WRITTEN = [
    "figures/causes.svg",
    "figures/cwa_by_layer.svg",
    "figures/cwa_by_length.svg",
    "figures/faithfulness.svg",
    "figures/head_map.svg",
    "figures/number_swap.svg",
    "figures/one_response.svg",
    "index.html",
    "report.json",
    "summary.md",
]

# Parts of a page that do not depend on how wide a word is; the number of lines in a figure does.
FIXED = ("p", "li", "td", "th", "div", "dd", "bdi", "svg", "title", "style", "image", "h1", "h2", "h3")


def contents(directory):
    """Every file under a folder, by its path from there."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in sorted(files)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, report, portrait):
    """The path of a page with every figure, of a model and its base, in a folder that was not there."""
    directory = tmp_path_factory.mktemp("reports") / "new" / "out"
    return write_report(directory, report(), {"model": portrait(), "base": portrait("tiny-base", size=-30.0)})


class TestFolder:
    """What is written, and when it is not."""

    def test_holds_page_figures_data_and_summary(self, whole):
        """Nothing else is left there, and the path of the page comes back."""
        assert whole.name == "index.html"
        assert list(contents(whole.parent)) == WRITTEN

    def test_report_is_the_ledger_and_the_numbers_behind_the_figures(self, tmp_path, report, portrait):
        """Whoever has the folder can draw the figures again."""
        write_report(tmp_path, report(), {"model": portrait()})

        assert json.loads((tmp_path / "report.json").read_text()) == report() | {
            "portraits": {"model": portrait()}
        }

    def test_page_says_what_was_not_run(self, tmp_path, report):
        """A reader of a green page learns what it does not speak of."""
        index = write_report(tmp_path, report() | {"not_run": ["not run: 14 replications"]}, {})

        assert "not run: 14 replications" in index.read_text()

    def test_figures_of_an_earlier_report_are_taken_away(self, tmp_path, report, portrait):
        """They would show another checkpoint; files of other people stay."""
        write_report(tmp_path, report(), {"model": portrait()})
        (tmp_path / "figures" / "mine.svg").write_text("mine")

        write_report(tmp_path, report(), {})

        assert list(contents(tmp_path)) == ["figures/mine.svg", "index.html", "report.json", "summary.md"]

    def test_path_that_is_a_file_is_an_os_error(self, tmp_path, report):
        """It says which, and the file stays."""
        (tmp_path / "out").write_text("mine")

        with pytest.raises(OSError, match="out"):
            write_report(tmp_path / "out", report(), {})

        assert (tmp_path / "out").read_text() == "mine"

    def test_page_is_written_last(self, tmp_path, report, monkeypatch):
        """A page that is there has everything that it names beside it."""
        names = []
        monkeypatch.setattr(page, "write_whole", lambda path, _: names.append(path.name))

        write_report(tmp_path, report(), {})

        assert names == ["report.json", "summary.md", "index.html"]

    def test_same_data_gives_the_same_bytes(self, tmp_path, report, portrait):
        """In another process too, whatever order its hashes have and whatever its matplotlibrc says."""
        data = json.dumps([report(), {"model": portrait(size=-30.0)}])
        write = (
            "import json, sys; from pathlib import Path; from lengthprobe.reporting import page; "
            "page.write_report(Path(sys.argv[1]), *json.load(sys.stdin))"
        )
        (tmp_path / "matplotlibrc").write_text("font.size: 20\nsvg.fonttype: path\naxes.grid: True\n")
        for seed, style in (("0", ""), ("1", str(tmp_path / "matplotlibrc"))):
            environment = os.environ | {"PYTHONHASHSEED": seed} | ({"MATPLOTLIBRC": style} if style else {})
            command = [sys.executable, "-W", "error", "-c", write, str(tmp_path / seed)]
            subprocess.run(command, input=data, text=True, env=environment, check=True)

        assert list(contents(tmp_path / "0")) == WRITTEN
        assert contents(tmp_path / "0") == contents(tmp_path / "1")

    def test_heavy_libraries_are_loaded_only_to_write(self):
        """The plugin pays for a report where one is asked for."""
        heavy = ("matplotlib", "jinja2", "numpy")
        code = (
            "import sys, lengthprobe.reporting.page; "
            f"print([name for name in {heavy!r} if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        assert done.stdout == "[]\n"


class TestPage:
    """What the page says."""

    def test_has_the_table_of_claims(self, shown, report):
        """Claim, statement, kind, source, language, verdict with its sign, effect, interval, n, margin."""
        text = " ".join(shown(report(), {}).shown.split())

        for part in (
            "It is so.", "requirement · a paper", "en ✓ holds 0.25 0.10 to 0.40 > 0 300 (151) −0.07",
        ):  # fmt: skip
            assert part in text

    def test_without_portraits_says_how_to_get_the_figures(self, shown, report):
        """And draws none."""
        read = shown(report(), {})

        assert "pytest mech_tests --lengthprobe-model=NAME --lengthprobe-report=DIR" in read.shown
        assert "figure" not in [tag for tag, *_ in read.tags]

    def test_explains_what_does_not_hold(self, shown, report, claim, check, beside):
        """The comparison, why, the worst prompts, and the controls beside it; nothing of what holds."""
        bad = check(verdict="broken", reason="it lies below", worst=["asked 3, wrote 5: 'a' → 'b'"])
        shuffled = beside("shuffled", mean=7.5)

        text = shown(report(claim("broken", bad, check("fine > 0"), beside=[shuffled])), {}).shown

        attention = " ".join(text.rpartition("What needs attention")[2].partition("language")[0].split())
        for part in ("it lies below", "asked 3, wrote 5: 'a' → 'b'", "beside: shuffled(m, en)7.50 words"):
            assert part in attention
        assert "fine" not in attention

    def test_shows_what_stands_behind_a_failed_claim(self, shown, report, claim, check):
        """Its components and controls, of which estimate, and what would decide it, as on a terminal."""
        background = [
            {"what": "largest components", "of": "late(m, en)", "values": {"MLP3": 9.412, "L2H1": -1.87}},
            {"what": "differ most", "of": "", "values": {"MLP3": [9.412, 0.2]}},
        ]
        unsure = check(
            verdict="undecided", advice="about 7 more topics would decide it", background=background
        )

        text = " ".join(shown(report(claim("undecided", unsure)), {}).shown.split())

        assert "length_error(m, en) > 0: the whole interval lies above 0; about 7 more topics would" in text
        assert "largest componentslate(m, en) MLP3 +9.41, L2H1 −1.87" in text
        assert "differ mostMLP3 +9.41 against +0.2" in text

    def test_no_line_breaks_before_a_per_cent_sign(self, shown, report, claim, check):
        """Neither in a row of the table nor beside a claim that needs attention."""
        unsure = check(
            "exact_match(m, en) > 0.8",
            verdict="undecided",
            unit="share",
            margin=0.8,
            mean=0.79,
            low=0.7,
            high=0.85,
            reason="80 % lies in the interval",
        )
        text = shown(report(claim("undecided", unsure)), {}).shown

        assert text.count("70.0\u00a0% to 85.0\u00a0%") == 2
        assert "80\u00a0% lies in the interval" in text
        assert "90\u00a0% interval" in text
        assert re.findall(r"\d %", text) == []

    def test_says_of_what_a_verdict_speaks(self, shown, report):
        """Of these wordings and lengths, which are no sample."""
        text = " ".join(shown(report(), {}).shown.split())

        assert "a verdict is about these wordings and lengths" in text

    def test_shows_nothing_behind_a_claim_about_behaviour(self, shown, report, claim):
        """It has no components."""
        assert "details" not in [tag for tag, *_ in shown(report(claim("broken")), {}).tags]

    def test_names_the_claims_that_did_not_run(self, shown, report):
        """Above all else, with how many there are and why; the headline says that not all ran."""
        part = report(interrupted="KeyboardInterrupt", collected=3, missing=["a.py::test_b[en]", "a.py::c"])
        part["totals"]["missing"] = 2

        text = " ".join(shown(part, {}).shown.split())

        assert "Interrupted: 1 of 3 claims ran." in text
        assert "2 … missing" in text
        assert "What did not run … missing 2 of 3 claims: KeyboardInterrupt a.py::test_b[en] a.py::c" in text
        assert text.index("a.py::c") < text.index("It is so.")

    def test_expected_failure_is_told_as_one(self, shown, report, claim):
        """Broken all the same."""
        text = " ".join(shown(report(claim("broken", expected=True)), {}).shown.split())

        assert text.count("✕ broken (expected)") == 2

    def test_error_is_told_once(self, shown, report, claim):
        """However many claims it stopped, with its fix."""
        broken = [claim("error", message="NaN in layer 3\n  fix: another step") for _ in range(3)]

        text = shown(report(*broken, model=None), {}).shown

        assert text.count("NaN in layer 3\n  fix: another step") == 1
        assert "in 3 claims" in text
        assert "No checkpoint was asked" in text

    def test_identities_stand_side_by_side(self, shown, report):
        """With the base, the reference, and the settings; digests are short, the whole is in the title."""
        read = shown(report(base={"name": "tiny-base", "weights": "b" * 64}), {})

        assert "against\n    base tiny-base" in read.shown
        assert "aaaaaaaaaaaa\n" not in read.shown
        assert ("bdi", "title", "b" * 64) in read.values
        assert "3–5" in read.shown

    def test_needs_nothing_from_anywhere(self, reader, whole):
        """No script, no style sheet, font or picture from outside, and a policy that forbids them."""
        read = reader(whole.read_text(encoding="utf-8"))

        assert not {"script", "link", "iframe", "object", "img"} & {tag for tag, *_ in read.tags}
        fetched = [value for _, name, value in read.values if name in ("src", "href", "xlink:href")]
        local = ("#", "data:image/png;base64,", "figures/", "report.json", "summary.md")
        assert all(value.startswith(local) for value in fetched)
        assert any("default-src 'none'" in (value or "") for _, _, value in read.values)

    def test_every_figure_stands_in_it_with_how_to_read_it(self, reader, whole):
        """Each id is there once, although the figures share a page."""
        read = reader(whole.read_text(encoding="utf-8"))

        assert len([tag for tag, *_ in read.tags if tag == "figcaption"]) == 7
        assert "The late layers (layers 3 to 4) are shaded" in read.shown
        assert "The cap, here 100 tokens, decides" in " ".join(read.shown.split())
        ids = [value for _, name, value in read.values if name == "id"]
        assert len(ids) == len(set(ids))
        targets = {value[1:] for _, name, value in read.values if name == "xlink:href" and value[0] == "#"}
        assert targets <= set(ids)

    def test_hostile_text_is_text(self, reader, tmp_path, report, claim, check, portrait, hostile):
        """It adds no tag and no attribute, and no character that hides, turns or breaks is left."""

        def written(name, words, alike):
            bad = claim(
                "broken",
                check(
                    verdict="broken", worst=list(words), reason=words[0], expression=f"{words[1]} > 0",
                    advice=alike(4),
                    background=[{"what": "controls", "of": alike(2), "values": {alike(3): 1.0}}],
                ),
                claim=alike(2), statement=alike(3), source=alike(5), language=alike(7),
            )  # fmt: skip
            told = report(bad, claim("error", message=alike(0)), claim("skipped", message=alike(1)))
            told["model"]["name"] = alike(0)
            told["settings"]["system_prompt"] = alike(11)
            told["reference"] = {"name": alike(2), "weights": alike(3)}
            answer = {"n_words": 3, "text": alike(1), "cut_off": False}
            worst = {
                "asked": 3,
                "topic": alike(0),
                "prompt": alike(11),
                "candidate": answer,
                "reference": answer,
            }
            changed = {"n": 1, "texts": 1, "worse": 1, "better": 0, "worst": [worst]}
            told["against_reference"] = {alike(7): {"values": [], "changed": changed}}
            told["conclusion"] = {
                "verdict": alike(0),
                "sentence": alike(1),
                "details": [alike(2)],
                "moved": [alike(3)],
                "matrix": [{"language": alike(7), "behaviour": {"holds": 1}, "mechanism": {}}],
                "standings": {bad["nodeid"]: "regressed"},
            }
            drawn = portrait(alike(1), words=words, architecture=alike(0))
            return reader(write_report(tmp_path / name, told, {"model": drawn}).read_text(encoding="utf-8"))

        tame = written("tame", tuple(f"word{n}" for n in range(len(hostile))), lambda n: f"text{n}")
        wild = written("wild", hostile, lambda n: hostile[n])

        assert set(wild.tags) == set(tame.tags)
        assert [tag for tag in wild.tags if tag[0] in FIXED] == [tag for tag in tame.tags if tag[0] in FIXED]
        assert "<script>alert(1)</script>" in wild.shown
        assert r"\x1b[31mred\x00\x0b" in wild.shown
        assert r"\u202eevil\u2066" in wild.shown
        for name, text in contents(tmp_path / "wild").items():
            unseen = {unicodedata.category(one) for one in text.decode()} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
            assert unseen <= {"Cc"}, name
            assert not set(text) & ({*range(32), 127} - {10}), name
