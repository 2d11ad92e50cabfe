"""--lengthprobe-sampling and --lengthprobe-samples."""

from __future__ import annotations

import json

import pytest

HOT = "--lengthprobe-sampling=temperature=1.5,top-p=0.95"
SAMPLED = "temperature 1.5, top-p 0.95, 4 samples a prompt, seed 0"
REGRESSION = """
@pytest.mark.claim
def test_no_worse(probe, reference_probe, language):
    change = measures.exact_match(probe, language=language) - measures.exact_match(
        reference_probe, language=language
    )
    assert change > -0.9
"""
OF_MECHANISM = """
@pytest.mark.claim(about="mechanism", languages=["en"])
def test_cut(probe, language):
    assert probe.settings.sampling is None
    with probe.ablated("L0H0") as cut:
        change = measures.exact_match(probe, language=language) - measures.exact_match(cut, language=language)
    assert change < 0.99


@pytest.mark.claim(about="mechanism", languages=["en"])
def test_share(probe, language):
    assert measures.share(measures.cwa(probe, component="late heads", language=language)) > -9
"""


def of_claim(report, number=0):
    """The first check of a claim."""
    return report["claims"][number]["checks"][0]


def test_header_report_and_page_say_how(project):
    """The samples of a prompt make one observation; greedy runs say nothing of samples."""
    result = project.run(HOT, "--lengthprobe-report=page")
    report = json.loads((project.path / "page" / "report.json").read_text())

    result.stdout.fnmatch_lines([f"settings * sampled: {SAMPLED}; components: greedy; *"])
    assert (report["settings"]["sampling"], report["settings"]["samples"]) == (
        "temperature=1.5,top-p=0.95",
        4,
    )
    assert report["model"]["sampled"] == SAMPLED
    assert of_claim(report)["n"] == 16
    # Sixteen prompts of four samples each have more than 16 possible shares.
    assert of_claim(report)["mean"] * 64 == pytest.approx(round(of_claim(report)["mean"] * 64))
    assert SAMPLED in (project.path / "page" / "index.html").read_text()
    project.run().stdout.no_fnmatch_line("*sampled*")


def test_number_of_samples_and_seed(project):
    """More samples are another mean, and so is another seed; the same options are the same mean."""
    means = [
        of_claim(project.report(HOT, *more))["mean"]
        for more in ([], [], ["--lengthprobe-samples=9"], ["--lengthprobe-seed=3"])
    ]

    assert means[0] == means[1]
    assert len({*means}) == 3


def test_batches_and_kept_answers_change_nothing(project):
    """In float32: and more samples of a prompt take over the samples that are kept."""
    store = "--lengthprobe-store=kept"
    first = of_claim(project.report(HOT, store, "--lengthprobe-batch-size=16"))["mean"]
    again = project.run(HOT, store, "--lengthprobe-batch-size=16", "--lengthprobe-samples=5")

    again.stdout.fnmatch_lines(["*80 of 80 answers (64 from the store)*"])
    for size in (1, 3):
        assert of_claim(project.report(HOT, f"--lengthprobe-batch-size={size}"))["mean"] == first


def test_components_are_asked_greedily(project):
    """A claim about mechanism gets greedy responses, whole and ablated, and attributions of these."""
    project.claims(OF_MECHANISM)
    greedy, sampled = project.report(), project.report(HOT)

    assert sampled["totals"]["holds"] == 2
    for number in range(2):
        assert of_claim(sampled, number)["mean"] == of_claim(greedy, number)["mean"]
    project.run(HOT).stdout.fnmatch_lines(["*16 of 16 answers*"])


def test_equal_checkpoints_give_equal_samples(project):
    """A live reference is sampled as the checkpoint is, with the same noise."""
    project.claims(REGRESSION)
    check = of_claim(project.report(HOT, "--lengthprobe-reference=tiny-it"))

    assert (check["mean"], check["verdict"]) == (0, "holds")


def test_greedy_run_is_no_reference_for_samples(project):
    """Unless comparing across forms is asked for by name; the run then answers as it was drawn."""
    project.claims(REGRESSION)
    project.ini(lengthprobe_runs="saved")
    project.run("--lengthprobe-save=greedy", "--lengthprobe-reference=tiny-it")

    refused = project.run(HOT, "--lengthprobe-reference=greedy")
    across = project.report(HOT, "--lengthprobe-reference=greedy", "--lengthprobe-across-forms")

    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(
        [
            "*was asked with sampling greedy, and here sampling is temperature=1.5,top-p=0.95",
            "*--lengthprobe-sampling=greedy*",
        ]
    )
    assert of_claim(across)["mean"] < 0


def test_sampled_run_is_a_reference_for_samples(project):
    """Also for fewer samples, and never for more; attributions in it are of greedy responses."""
    project.claims(REGRESSION + OF_MECHANISM)
    project.ini(lengthprobe_runs="saved")
    project.run(HOT, "--lengthprobe-save=hot", "--lengthprobe-reference=tiny-it")
    reference = (HOT, "--lengthprobe-reference=hot")

    for more in ([], ["--lengthprobe-samples=2"]):
        assert of_claim(project.report(*reference, *more))["mean"] == 0
    refused = project.run(*reference, "--lengthprobe-samples=5")
    refused.stderr.fnmatch_lines(["*holds 4 of the 5 samples of a prompt*", "*--lengthprobe-samples=4*"])


def test_ini_twins(project):
    """The ini file can say both, and the command line can go back to greedy."""
    project.ini(lengthprobe_sampling="temperature=0.7", lengthprobe_samples="2")

    settings = project.report()["settings"]
    assert (settings["sampling"], settings["samples"]) == ("temperature=0.7", 2)
    greedy = project.report("--lengthprobe-sampling=greedy", "--lengthprobe-samples=1")["settings"]
    assert (greedy["sampling"], greedy["samples"]) == (None, 1)


@pytest.mark.parametrize(
    ("option", "problem", "fix"),
    [
        ("sampling=temperature=0", "*temperature 0 draws nothing, and is greedy*", "*sampling=greedy*"),
        (
            "sampling=hot",
            "*'hot' is none of temperature=N, top-p=N, top-k=N*",
            "*sampling='temperature=0.7,*",
        ),
        (
            "samples=4",
            "*decoding is greedy, and all responses*same",
            "*--lengthprobe-sampling='temperature=*",
        ),
        ("samples=many", "*samples=many: this is no whole number", "*--lengthprobe-samples=4*"),
    ],
)
def test_unusable_values_are_refused(project, option, problem, fix):
    """With the next thing to type."""
    result = project.run(f"--lengthprobe-{option}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([problem, fix])
