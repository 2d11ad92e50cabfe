"""What a name means, which base model it has, and of which lineage it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lengthprobe.checkpoints import catalog
from lengthprobe.checkpoints.catalog import LINEAGES, Source, base_of, lineage_of, resolve
from lengthprobe.errors import ModelError


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with fixture models of its own beside it."""
    for name in ("tiny-base", "tiny-it"):
        _directory(tmp_path / "fixtures" / name)
    monkeypatch.setattr(catalog, "FIXTURE_FOLDERS", (tmp_path / "none", tmp_path / "fixtures"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def _directory(path: Path, *, card: str | None = None) -> Path:
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    if card is not None:
        (path / "README.md").write_text(f"---\n{card}\n---\n\n# A model\n")
    return path


def test_fixture_model() -> None:
    """A fixture model's name gives its directory."""
    source = resolve("tiny-it")
    assert (source.kind, source.path) == ("fixture", catalog.FIXTURE_FOLDERS[1] / "tiny-it")


def test_fixture_model_goes_before_a_directory(workplace: Path) -> None:
    """A directory with a fixture model's name is reached by ./name only."""
    _directory(workplace / "tiny-it")
    assert resolve("tiny-it").kind == "fixture"
    assert resolve("./tiny-it").kind == "directory"


@pytest.mark.parametrize("name", ["step-4000", "./step-4000", "runs/step-4000", "{here}/step-4000"])
def test_directory(workplace: Path, name: str) -> None:
    """A directory is named relative to here or absolutely, with or without ./."""
    _directory(workplace / "step-4000")
    _directory(workplace / "runs" / "step-4000")
    source = resolve(name.format(here=workplace))
    assert source.kind == "directory"
    assert source.path is not None
    assert source.path.is_dir()


def test_home_directory(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path may start from the home directory."""
    monkeypatch.setenv("HOME", str(workplace))
    assert resolve("~").path == workplace


def test_directory_goes_before_an_alias(workplace: Path) -> None:
    """A directory that has the name of an alias is that directory."""
    _directory(workplace / "llama-3.1-8b")
    assert resolve("llama-3.1-8b").kind == "directory"


@pytest.mark.parametrize("name", ["llama-3.1-8b-instruct", "Llama-3.1-8B-Instruct"])
def test_alias(name: str) -> None:
    """An alias gives the hub id, in whichever case it is typed."""
    assert resolve(name) == Source(name, "alias", repo_id="meta-llama/Llama-3.1-8B-Instruct")


@pytest.mark.parametrize(
    ("name", "revision"),
    [
        ("llama-3.1-8b@main", "main"),
        ("Llama-3.1-8B@refs/pr/3", "refs/pr/3"),
        ("llama-3.1-8b@d04e592bb4f6aa9cfee91e2e20afa771667e1d4b", "d04e592bb4f6aa9cfee91e2e20afa771667e1d4b"),
    ],
)
def test_alias_with_a_revision(name: str, revision: str) -> None:
    """An alias may have a revision as its hub id may, and keeps its base and lineage."""
    source = resolve(name)
    assert source == Source(name, "alias", repo_id="meta-llama/Llama-3.1-8B", revision=revision)
    assert lineage_of(source) == "llama-3.1"
    assert base_of(resolve("llama-3.1-8b-instruct@main")) == "llama-3.1-8b"


@pytest.mark.parametrize("name", ["llama-3.1-8b", "org/model"])
def test_revision_that_is_left_out(name: str) -> None:
    """An @ with nothing after it is named, with a line that works."""
    with pytest.raises(ModelError, match="names no revision") as raised:
        resolve(f"{name}@")
    assert f"--lengthprobe-model={name}," in raised.value.fix
    assert resolve(name).repo_id


@pytest.mark.parametrize(
    ("name", "repo_id", "revision"),
    [
        ("org/model", "org/model", None),
        ("org/model-1.5_b", "org/model-1.5_b", None),
        ("org/model@v2.0", "org/model", "v2.0"),
        ("org/model@refs/pr/1", "org/model", "refs/pr/1"),
    ],
)
def test_hub_id(name: str, repo_id: str, revision: str | None) -> None:
    """A hub id has an owner and may have a revision."""
    assert resolve(name) == Source(name, "hub", repo_id=repo_id, revision=revision)


@pytest.mark.parametrize(
    ("typed", "offered"), [("llama-3.1-8b-instuct", "llama-3.1-8b-instruct"), ("tiny-ti", "tiny-it")]
)
def test_unknown_name_offers_the_nearest(typed: str, offered: str) -> None:
    """A name that nothing has is answered with the nearest ones."""
    with pytest.raises(ModelError, match=f"no model is known by the name '{typed}'") as raised:
        resolve(typed)
    assert offered in raised.value.fix


def test_unknown_name_offers_a_folder_beside_it(workplace: Path) -> None:
    """A checkpoint in the working directory is a name too."""
    _directory(workplace / "step-4000")
    with pytest.raises(ModelError) as raised:
        resolve("step-400")
    assert raised.value.fix.startswith("did you mean step-4000? ")


def test_unknown_name_without_a_near_one() -> None:
    """A name like no other is answered with what a name can be."""
    with pytest.raises(ModelError) as raised:
        resolve("zzzzzz")
    assert raised.value.fix == "a directory (./my-checkpoint) or a hub id (org/name) is a name too"


def test_file_instead_of_directory(workplace: Path) -> None:
    """A file is answered with the directory it lies in."""
    (_directory(workplace / "step") / "model.safetensors").touch()
    with pytest.raises(ModelError, match="is a file") as raised:
        resolve("step/model.safetensors")
    assert raised.value.fix.endswith("directory: step")


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        ("model.zip", "an archive", "unpack it"),
        ("model.tar.gz", "an archive", "unpack it"),
        ("notes.txt", "is a file", "the folder that save_pretrained wrote"),
        ("model.safetensors", "is a file", "the folder that save_pretrained wrote"),
    ],
)
def test_file_that_lies_in_no_checkpoint(workplace: Path, name: str, what: str, fix: str) -> None:
    """A folder without a config is not offered as the checkpoint's."""
    (workplace / "loose").mkdir()
    (workplace / "loose" / name).touch()
    with pytest.raises(ModelError, match=what) as raised:
        resolve(f"loose/{name}")
    assert fix in raised.value.fix
    assert "loose" not in raised.value.fix


@pytest.mark.parametrize("name", ["", "  ", "a b c", "org/", "/".join("x" * 300 for _ in range(2)) + "\0"])
def test_strange_names(name: str) -> None:
    """Names that cannot be anything are refused like any other."""
    with pytest.raises(ModelError):
        resolve(name)


def test_base_of_an_alias() -> None:
    """An alias's base is in the table."""
    assert base_of(resolve("llama-3.3-70b-instruct")) == "llama-3.1-70b"
    assert base_of(resolve("llama-3.1-70b")) is None


def test_base_of_a_known_hub_id() -> None:
    """The hub id of an alias has the same base."""
    assert base_of(resolve("Qwen/Qwen3-8B")) == "qwen-3-8b-base"


@pytest.mark.parametrize(
    ("card", "base"),
    [
        ("base_model: tiny-base", "tiny-base"),
        ("base_model: [tiny-base]", "tiny-base"),
        ("base_model:\n- meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"),
        ("base_model: [tiny-base, org/other]", None),
        ("base_model: ''", None),
        ("base_model: {odd: 1}", None),
        ("base_model: /gone/path", None),
        ("license: mit", None),
        ("base_model: [unclosed", None),
    ],
)
def test_base_from_a_card(workplace: Path, card: str, base: str | None) -> None:
    """A model card names the base; several bases, unreadable cards and paths that are gone name none."""
    _directory(workplace / "tuned", card=card)
    assert base_of(resolve("./tuned")) == base


def test_base_without_a_card(workplace: Path) -> None:
    """A directory without a card has no known base."""
    _directory(workplace / "tuned")
    assert base_of(resolve("./tuned")) is None


def test_base_beside_the_card(workplace: Path) -> None:
    """A relative path in a card starts from the card's directory."""
    _directory(workplace / "runs" / "base")
    _directory(workplace / "runs" / "tuned", card="base_model: ../base")
    assert base_of(resolve("./runs/tuned")) == "./runs/base"


def test_base_by_an_absolute_path(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An absolute path in a card becomes a relative one: the name of the base goes into reports."""
    base = _directory(workplace / "tiny-it")
    _directory(workplace / "tuned", card=f"base_model: {base}")
    assert base_of(resolve("./tuned")) == "./tiny-it"
    monkeypatch.chdir(_directory(workplace / "within"))
    assert base_of(resolve("../tuned")) == "../tiny-it"


def test_base_of_something_tuned_twice(workplace: Path) -> None:
    """The base of what was tuned from a tuned model is the foundation model."""
    _directory(workplace / "twice", card="base_model: meta-llama/Llama-3.1-8B-Instruct")
    assert base_of(resolve("./twice")) == "llama-3.1-8b"


def test_cards_that_name_each_other(workplace: Path) -> None:
    """A circle of cards names no base."""
    _directory(workplace / "a", card="base_model: ../b")
    _directory(workplace / "b", card="base_model: ../a")
    assert base_of(resolve(str(workplace / "a"))) is None


def test_base_of_an_adapter(workplace: Path) -> None:
    """An adapter without a card has the base of the model that it was trained on."""
    adapter = workplace / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "gemma-2-2b-it"}))
    assert base_of(resolve("./adapter")) == "gemma-2-2b"


def test_base_of_an_uncached_hub_id() -> None:
    """A hub id whose card is not to be had has no known base."""
    assert base_of(resolve("org/not-cached")) is None


@pytest.mark.parametrize(
    ("name", "lineage"),
    [
        ("llama-3.1-8b", "llama-3.1"),
        ("llama-3.1-70b-instruct", "llama-3.1"),
        ("llama-3.3-70b-instruct", "llama-3.1"),
        ("meta-llama/Llama-3.3-70B-Instruct", "llama-3.1"),
        ("meta-llama/Llama-3.1-405B@main", "llama-3.1"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "llama-3.1"),
        ("meta-llama/Meta-Llama-3-8B", None),
        ("llama-3.2-1b-instruct", None),
        ("somebody/Llama-3.1-8B", None),
        ("qwen-3-8b", None),
        ("tiny-base", "fixture"),
        ("tiny-it", "fixture"),
    ],
)
def test_lineage_by_name(name: str, lineage: str | None) -> None:
    """Llama 3.1 of every size is a lineage, 3.3 comes from it, and so are the fixture models."""
    assert lineage_of(resolve(name)) == lineage
    assert lineage in (None, *LINEAGES)


@pytest.mark.parametrize(
    ("base", "lineage"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1"),
        ("llama-3.3-70b-instruct", "llama-3.1"),
        ("tiny-it", "fixture"),
        ("../fixtures/tiny-base", "fixture"),
        ("qwen-3-8b", None),
        ("/gone/Llama-3.1-8B", None),
        ("[tiny-it, tiny-base]", None),
    ],
)
def test_lineage_by_the_card(workplace: Path, base: str, lineage: str | None) -> None:
    """What was tuned from a checkpoint, in as many steps as may be, is of its lineage; a merge is of none."""
    _directory(workplace / "once", card=f"base_model: {base}")
    _directory(workplace / "twice", card="base_model: ../once")
    assert lineage_of(resolve("./once")) == lineage_of(resolve("./twice")) == lineage


def test_lineage_of_a_fixture_models_directory(workplace: Path) -> None:
    """A fixture model named by its path is one; another directory with such a name is not."""
    assert lineage_of(resolve("../fixtures/tiny-it")) == "fixture"
    _directory(workplace / "tiny-it")
    assert lineage_of(resolve("./tiny-it")) is None


def test_lineage_by_the_cards_of_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The cards on the hub are followed further than the one base that is asked."""
    cards = {"org/twice": "org/once", "org/once": "meta-llama/Llama-3.1-8B"}

    def download(repo_id: str, _file: str, revision: str | None) -> str:
        assert revision is None
        return str(_directory(tmp_path / repo_id, card=f"base_model: {cards[repo_id]}") / "README.md")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    assert lineage_of(resolve("org/twice")) == "llama-3.1"


def test_lineage_of_cards_that_name_each_other(workplace: Path) -> None:
    """A circle of cards is of no lineage."""
    _directory(workplace / "a", card="base_model: ../b")
    _directory(workplace / "b", card="base_model: ../a")
    assert lineage_of(resolve("./a")) is None


@pytest.mark.parametrize(
    ("config", "lineage"), [({"base_model_name_or_path": "llama-3.1-8b"}, "llama-3.1"), ({}, None)]
)
def test_lineage_of_an_adapter(workplace: Path, config: dict[str, str], lineage: str | None) -> None:
    """An adapter is of its base's lineage; what is wrong in its config is told when it is loaded."""
    (workplace / "adapter").mkdir()
    (workplace / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    assert lineage_of(resolve("./adapter")) == lineage
