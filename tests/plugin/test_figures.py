"""However a session is run, its figures are the same, and each prompt is asked once."""

from __future__ import annotations

import pytest

CLAIMS = """
@pytest.mark.claim
def test_exact(probe, language):
    assert measures.exact_match(probe, language=language) > 0.5


@pytest.mark.claim
def test_broken(probe, language):
    assert measures.exact_match(probe, language=language) < 0.1


@pytest.mark.claim
def test_against_base(probe, base_probe, language):
    tuned = measures.absolute_error(probe, language=language)
    base = measures.absolute_error(base_probe, language=language)
    assert tuned - base < -1
"""


@pytest.fixture
def project(project):
    """Three claims in two languages."""
    project.claims(CLAIMS)
    project.ini(lengthprobe_languages="en,it")
    return project


def figures(report):
    """The checks of each claim."""
    return {claim["nodeid"]: claim["checks"] for claim in report["claims"]}


@pytest.mark.parametrize(
    ("args", "count"),
    [
        (["-k", "exact and it"], 1),
        (["-x"], 3),
        (["-p", "no:cacheprovider"], 6),
        (["-p", "no:xdist"], 6),
        (["-p", "no:randomly", "--lengthprobe-batch-size=3"], 6),
        (["-v"], 6),
        (["-q"], 6),
    ],
)
def test_same_figures(project, args, count):
    """Whatever is selected, the figures are those of the whole run."""
    whole = figures(project.report())

    some = figures(project.report(*args))

    assert len(whole) == 6
    assert len(some) == count
    assert some == {name: whole[name] for name in some}


def test_same_figures_of_what_failed_last(project):
    """`--lf` runs the broken claims again."""
    whole = figures(project.report())

    again = figures(project.report("--lf"))

    assert again == {name: checks for name, checks in whole.items() if "broken" in name}


@pytest.mark.parametrize("args", [("-n", "2"), ("-n", "1", "--dist=loadfile")])
def test_same_figures_in_workers(project, args):
    """The controller alone writes the report, with every claim of every worker."""
    whole = project.report()

    project.pytester.runpytest_subprocess("--lengthprobe-json=shared.json", *args)

    import json

    shared = json.loads((project.path / "shared.json").read_text())
    assert figures(shared) == figures(whole)
    assert list(figures(shared)) == list(figures(whole))
    assert shared["totals"] == whole["totals"]
    assert (shared["model"], shared["base"]) == (whole["model"], whole["base"])


def test_each_checkpoint_is_loaded_once_and_each_prompt_asked_once(project, monkeypatch):
    """Two checkpoints, 16 prompts in each of two languages, in one call."""
    from lengthprobe.asking import answering
    from lengthprobe.checkpoints import loading

    loaded, asked = [], []
    load, answer = loading.load_checkpoint, answering.answer
    monkeypatch.setattr(loading, "load_checkpoint", lambda *args: loaded.append(args) or load(*args))
    monkeypatch.setattr(
        answering, "answer", lambda *args, **how: asked.append(len(args[1])) or answer(*args, **how)
    )

    project.report()

    assert len(loaded) == 2
    assert asked == [32, 32]


def test_only_what_is_selected_is_asked(project, monkeypatch):
    """A claim about one language of one checkpoint needs no more than that."""
    from lengthprobe.asking import answering

    asked = []
    answer = answering.answer
    monkeypatch.setattr(
        answering, "answer", lambda *args, **how: asked.append(args[1][0].language) or answer(*args, **how)
    )

    project.report("-k", "exact and it")

    assert asked == ["it"]
