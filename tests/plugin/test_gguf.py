"""A GGUF file as the checkpoint under test."""

from __future__ import annotations

import pytest

from fixtures.gguf_files import write_gguf
from lengthprobe.checkpoints.catalog import FIXTURE_FOLDERS

AGAINST = '''
@pytest.mark.claim
def test_no_worse_than_the_original(probe, reference_probe, language):
    """The quantized model is as exact as its original."""
    before = measures.exact_match(reference_probe, language=language)
    assert before - measures.exact_match(probe, language=language) < 0.5
'''


@pytest.fixture
def quantized(tmp_path):
    """The healthy fixture model, quantized to eight bits."""
    return write_gguf(FIXTURE_FOLDERS[-1] / "tiny-it", tmp_path / "tiny-it-q8_0.gguf", "Q8_0")


def test_table_says_how_it_is_stored(project, quantized):
    """Above the table stands what was quantized, and in which format it was run."""
    result = project.run(f"--lengthprobe-model={quantized}")

    result.stdout.fnmatch_lines(["*weights: GGUF Q8_0 (Q8_0 37 tensors, F32 11), dequantized to float32*"])
    assert result.ret == 0


def test_against_its_original(project, quantized):
    """It is compared with the folder that it was converted from, and nothing need be said of forms."""
    project.claims(AGAINST)
    report = project.report(f"--lengthprobe-model={quantized}", "--lengthprobe-reference=tiny-it")

    assert report["totals"]["holds"] == 1
    assert report["model"]["stored"].startswith("GGUF Q8_0")
    assert report["reference"]["stored"] is None


def test_tokenizer_in_a_header(project, quantized):
    """The files of a folder are no other tokenizer than the same one in a header."""
    project.claims(AGAINST)
    result = project.run(f"--lengthprobe-model={quantized}", "--lengthprobe-reference=tiny-it")

    result.stdout.no_fnmatch_line("*other tokenizer files*")


def test_several_in_a_folder(project, quantized):
    """The error of a claim has the lines to type."""
    write_gguf(FIXTURE_FOLDERS[-1] / "two-short", quantized.parent / "two-short-q4_0.gguf", "Q4_0")
    result = project.run(f"--lengthprobe-model={quantized.parent}")

    result.stdout.fnmatch_lines(
        [f"*--lengthprobe-model={quantized}, or --lengthprobe-model=*two-short-q4_0.gguf*"]
    )
