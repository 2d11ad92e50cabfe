"""Display names: short, unique in a run, and the same wherever they are made."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lengthprobe.checkpoints.display_names import display_name, display_names
from lengthprobe.reporting.quantities import margin
from lengthprobe.statistics.check import Relation
from lengthprobe.statistics.estimate import Estimate, Observation
from lengthprobe.statistics.measure_key import MeasureKey

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(*paths: str) -> list[str]:
    """The paths, each a checkpoint's folder."""
    for path in paths:
        Path(path).mkdir(parents=True, exist_ok=True)
        (Path(path) / "config.json").write_text("{}")
    return list(paths)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("tiny-it", "tiny-it"),
        ("llama-3.1-8b-instruct", "llama-3.1-8b-instruct"),
        ("llama-3.1-8b-instruct@v2", "llama-3.1-8b-instruct@v2"),
        ("org/Name-1B", "Name-1B"),
        ("org/Name-1B@main", "Name-1B@main"),
        ("org/Name-1B@refs/pr/1", "Name-1B@refs-pr-1"),
        (f"org/Name-1B@{'0123456789' * 4}", "Name-1B@0123456"),
        ("org/Name-1B:a-q8.gguf", "Name-1B:a-q8.gguf"),
        ("org/Name-1B@main:a-q8.gguf", "Name-1B@main:a-q8.gguf"),
        (f"org/Name-1B@{'0123456789' * 4}:a-q8.gguf", "Name-1B@0123456:a-q8.gguf"),
        (f"llama-3.1-8b-instruct@{'0123456789' * 4}", "llama-3.1-8b-instruct@0123456"),
        (f"llama-3.1-8b-instruct@{'0123456789' * 4}:a.gguf", "llama-3.1-8b-instruct@0123456:a.gguf"),
        ("/data/checkpoints/step-4000", "step-4000"),
        ("./step-4000/", "step-4000"),
        ("../run/./step-4000", "step-4000"),
        ("/data/model-q4_k_m.gguf", "model-q4_k_m.gguf"),
        ("/", "checkpoint"),
    ],
)
def test_of_one_alone(name: str, shown: str) -> None:
    """The last segment of a path or a hub id; an alias and a fixture model as they are typed."""
    assert display_name(name) == shown


def test_of_the_working_directory(here: Path) -> None:
    """The name of the folder that `.` is."""
    made("step-4000")

    assert display_name("step-4000/../step-4000/.") == "step-4000"
    assert display_name(".") == here.name


def test_of_a_folder_in_the_hub_s_cache() -> None:
    """The hub's name and commit, since the folder is called by its commit alone."""
    (name,) = made(f"hub/models--org--Name-1B/snapshots/{'0123456789' * 4}")

    assert display_name(name) == "Name-1B@0123456"


def test_of_a_file_in_the_hub_s_cache() -> None:
    """So it is with a GGUF file that lies there, however it is typed."""
    (folder,) = made(f"hub/models--org--Name-1B/snapshots/{'0123456789' * 4}")
    Path(folder, "a-q8.gguf").write_bytes(b"GGUF")
    names = [f"{folder}/a-q8.gguf", f"{folder}:a-q8.gguf"]

    assert set(display_names(names).values()) == {"Name-1B@0123456:a-q8.gguf"}


def test_of_a_gguf_file() -> None:
    """A file in a folder has one name, whether it is typed as a path or after a colon."""
    (folder,) = made("out")
    Path(folder, "a-q8.gguf").write_bytes(b"GGUF")

    assert set(display_names(["out/a-q8.gguf", "./out:a-q8.gguf"]).values()) == {"a-q8.gguf"}


@pytest.mark.parametrize(
    ("base", "shown"),
    [
        ("/data/@home/base", "base"),
        ("/data/run@3/base@v2/", "base@v2"),
        ("../bases/mine@home", "mine@home"),
        ("/nowhere/models--org--Name-1B/snapshots/" + "0123456789" * 4, "Name-1B@0123456"),
        ("org/Name-1B@main", "Name-1B@main"),
        (f"org/Name-1B@{'0123456789' * 4}", "Name-1B@0123456"),
        ("tiny-it", "tiny-it"),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_of_an_adapter_s_base(here: Path, base: str, shown: str, there: bool) -> None:
    """The base of an adapter is named as it would be alone, a path as a path, whether it is there or not."""
    adapter = here / "loras" / "ada"
    adapter.mkdir(parents=True)
    if base.startswith("..") and there:
        made(str(adapter / base))
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))

    assert display_name("loras/ada") == f"{shown} + ada"


def test_of_an_adapter() -> None:
    """Its base, and after a plus the adapter."""
    Path("loras/checkpoint-500").mkdir(parents=True)
    config = {"base_model_name_or_path": "meta-llama/Llama-3.1-8B", "peft_type": "LORA"}
    Path("loras/checkpoint-500/adapter_config.json").write_text(json.dumps(config))

    assert display_name("loras/checkpoint-500") == "Llama-3.1-8B + checkpoint-500"


def test_of_an_adapter_that_cannot_be_read() -> None:
    """The folder's name: whoever loads it says what is wrong."""
    Path("ada").mkdir()
    Path("ada/adapter_config.json").write_text("no JSON")

    assert display_name("./ada") == "ada"


def test_as_many_segments_as_tell_names_apart() -> None:
    """Of those alone that share their last segments."""
    names = made("one/a/final", "two/a/final", "b/final", "c/step-1")

    assert list(display_names(names).values()) == ["one/a/final", "two/a/final", "b/final", "step-1"]


def test_organisations_where_hub_names_are_alike() -> None:
    """Two hubs' models of one name have their organisation."""
    assert list(display_names(["a/M-1B", "b/M-1B", "a/N"]).values()) == ["a/M-1B", "b/M-1B", "N"]


def test_revisions_tell_apart() -> None:
    """One id at two revisions needs no organisation."""
    assert list(display_names(["a/M@v1", "a/M@v2", "a/M"]).values()) == ["M@v1", "M@v2", "M"]


def test_path_gives_way_to_an_alias() -> None:
    """A fixture model and an alias have no segments to add: the path has."""
    names = ["tiny-it", *made("out/tiny-it")]

    assert list(display_names(names).values()) == ["tiny-it", "out/tiny-it"]


def test_one_place_has_one_name(here: Path) -> None:
    """However it is typed."""
    made("out/step-1")
    names = ["out/step-1", "./out/step-1/", str(here / "out" / "step-1")]

    assert set(display_names(names).values()) == {"step-1"}


def test_numbers_where_nothing_else_tells_apart() -> None:
    """Paths that differ in what no name shows are numbered in the order in which they are named."""
    names = made("a b", "a|b", "a-b")

    assert list(display_names(names).values()) == ["a-b", "a-b#2", "a-b#3"]


def test_taken_names_are_left() -> None:
    """A base that a card tells takes no name from the model."""
    (name,) = made("base/final")

    assert display_names([name], taken=["final"]) == {name: "base/final"}
    assert display_names(["tiny-it"], taken=["tiny-it"]) == {"tiny-it": "tiny-it#2"}


@pytest.mark.parametrize(
    ("folder", "shown"),
    [
        ("my model (v2)", "my-model-v2"),
        ("a|b", "a-b"),
        ("x[1]", "x-1"),
        ("a < b > 0", "a-b-0"),
        ("a, b", "a-b"),
        ("red\x1b[31m", "red-31m"),
        ("\u202egnp", "gnp"),
        ("тест-модель", "тест-модель"),
        ("模型-7b", "模型-7b"),
        ("cafe\u0301", "café"),
        ("???", "checkpoint"),
    ],
)
def test_only_what_means_nothing_elsewhere(folder: str, shown: str) -> None:
    """No space, bracket, bar, comparison or control character: letters of any script, digits, a few signs."""
    made(folder)

    assert display_name(f"./{folder}") == shown


def test_long_names_keep_both_ends() -> None:
    """Most of it from the end, where the step stands; at most 48 characters."""
    (name,) = made(f"{'very-' * 30}long-run-step-4000")

    shown = display_name(f"./{name}")
    assert len(shown) == 48
    assert re.fullmatch(r"very-very-very-very-….*long-run-step-4000", shown)


LONG = "p" * 30, "q" * 40


@pytest.mark.parametrize(
    ("ones", "shown"),
    [
        # 8 of the beginning, 26 around what differs, 12 of the end.
        (
            ("-lr-1e-4-", "-lr-1e-5-"),
            [f"{'p' * 8}…{'p' * 5}-lr-1e-{at}-{'q' * 12}…{'q' * 12}" for at in (4, 5)],
        ),
        (
            ("-seed-1-", "-seed-22-", "-seed-333-"),
            [f"{'p' * 8}…{'p' * 5}-seed-{at}-{'q' * (14 - len(at))}…{'q' * 12}" for at in ("1", "22", "333")],
        ),
    ],
)
def test_long_names_keep_what_differs(ones: tuple[str, ...], shown: list[str]) -> None:
    """Of names that differ in the middle alone, what differs stays, in whatever order they are named."""
    names = [f"./{name}" for name in made(*(one.join(LONG) for one in ones))]

    found = display_names(names)
    assert list(found.values()) == shown
    assert display_names(names[::-1]) == found
    assert max(map(len, shown)) == 48


def test_long_names_with_much_that_differs() -> None:
    """Digits of a digest of the place stand for more than there is room for."""
    names = made(*(f"{'p' * 30}{one * 30}{'q' * 40}" for one in "xyz"))
    shown = [display_names(names)[name] for name in names]

    assert len(set(shown)) == 3
    assert all(re.fullmatch(r"p{13}…[0-9a-f]{6}…q{27}", one) for one in shown)
    assert list(display_names(names[::-1]).values()) == shown[::-1]


def test_long_names_that_repeat_themselves() -> None:
    """A part too many that cannot be seen is told by digits too."""
    shown = list(display_names(made("p" * 60, "p" * 61)).values())

    assert all(re.fullmatch(r"p{13}…[0-9a-f]{6}…p{27}", one) for one in shown)
    assert len(set(shown)) == 2


def test_long_name_that_is_taken() -> None:
    """A name that another was shortened to is left to it."""
    one, other = made(*(at.join(LONG) for at in ("1", "2")))
    taken = display_name(one)

    assert re.fullmatch(r"p{13}…[0-9a-f]{6}…q{27}", display_names([other], taken=[taken])[other])


def test_long_names_in_other_folders() -> None:
    """Long names that are the same have the folders that tell them apart, as short ones have."""
    shown = display_names(made(f"one/{'p' * 60}", f"two/{'p' * 60}")).values()

    assert [name[:5] for name in shown] == ["one/p", "two/p"]
    assert {len(name) for name in shown} == {48}


def test_comparison_is_read_from_an_expression_with_any_name() -> None:
    """What a name holds is never taken for the comparison or for a margin."""
    made("a > b, (c)")
    shown = display_name("./a > b, (c)")
    key = MeasureKey("exact_match").of(shown, "en", None)
    rows = [Observation(f"p{at}", f"t{at}", float(at > 0)) for at in range(40)]
    estimate = Estimate.from_observations(rows, name=key, unit="share", bounds=(0.0, 1.0))

    check = (estimate > 0.8).as_check()

    assert check.expression == f"exact_match({shown}, en) > 0.8"
    assert check.relation == Relation(">")
    assert margin(check) == "> 80 %"
