"""Checkpoints of the hub: from a cache laid out as the hub's client does, and from a server that refuses."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import constants

from lengthprobe.checkpoints.catalog import base_of, resolve
from lengthprobe.checkpoints.digests import weights_digest
from lengthprobe.checkpoints.disk.hub import commit, snapshot
from lengthprobe.checkpoints.files import locate
from lengthprobe.checkpoints.loading import load_checkpoint
from lengthprobe.errors import ModelError
from lengthprobe.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture
def answers(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, tuple[int, str]]]:
    """A hub on this machine that answers a repository as told: a status and an error code of the hub's."""
    told: dict[str, tuple[int, str]] = {}

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, code = next(answer for repo, answer in told.items() if repo in self.path)
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815  (the name is http.server's)

        def log_message(self, *_: object) -> None:
            """Keep the requests out of the tests' output."""

    assert not cache.exists()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield told
    server.shutdown()
    server.server_close()


def _cached(cache: Path, repo_id: str, files: dict[str, bytes], *, ref: str = "main") -> Path:
    """Put a repository into a cache: blobs, a snapshot of links to them, and a ref."""
    folder = cache / f"models--{repo_id.replace('/', '--')}"
    for part in ("blobs", "refs", f"snapshots/{COMMIT}"):
        (folder / part).mkdir(parents=True)
    (folder / "refs" / ref).write_text(COMMIT)
    for number, (name, content) in enumerate(files.items()):
        blob = folder / "blobs" / str(number)
        blob.write_bytes(content)
        os.symlink(f"../../blobs/{number}", folder / "snapshots" / COMMIT / name)
    return folder / "snapshots" / COMMIT


def test_cached_checkpoint(cache: Path) -> None:
    """Offline, the cache gives the snapshot and its commit."""
    expected = _cached(cache, "org/model", {"config.json": b"{}"})
    directory = snapshot(resolve("org/model"), Settings())
    assert (directory, commit(directory)) == (expected, COMMIT)


@pytest.mark.parametrize("revision", ["v2", COMMIT])
def test_cached_revision(cache: Path, revision: str) -> None:
    """A tag or a commit is taken from the cache as well."""
    expected = _cached(cache, "org/model", {"config.json": b"{}"}, ref="v2")
    assert snapshot(resolve(f"org/model@{revision}"), Settings()) == expected


def test_cached_alias(cache: Path) -> None:
    """An alias is looked up under its hub id."""
    expected = _cached(cache, "google/gemma-2-2b-it", {"config.json": b"{}"})
    assert snapshot(resolve("gemma-2-2b-it"), Settings()) == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n\n"])
@pytest.mark.parametrize("name", ["org/model", "org/model@main"])
def test_ref_that_ends_in_a_line_break(cache: Path, name: str, end: str) -> None:
    """A ref that an editor or a script wrote is read all the same (huggingface_hub #4133)."""
    expected = _cached(cache, "org/model", {"config.json": b"{}"})
    (cache / "models--org--model" / "refs" / "main").write_text(COMMIT + end)
    directory = snapshot(resolve(name), Settings())
    assert (directory, commit(directory)) == (expected, COMMIT)


@pytest.mark.parametrize("content", [b"", b"main", b"\xff\xfe", b"f" * 40])
def test_ref_that_names_no_commit(cache: Path, content: bytes) -> None:
    """A damaged ref is named, and the command that writes it anew."""
    _cached(cache, "org/model", {"config.json": b"{}"})
    ref = cache / "models--org--model" / "refs" / "main"
    ref.write_bytes(content)
    with pytest.raises(ModelError, match=f"{ref} names no commit that the hub cache holds") as raised:
        snapshot(resolve("org/model"), Settings())
    assert raised.value.fix.endswith("hf download org/model")


@pytest.mark.parametrize(
    "name",
    ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"],
)
def test_lost_blob(cache: Path, checkpoints: Callable[..., Path], name: str) -> None:
    """A link of the cache to a blob that is gone is named, with the command that fetches the file."""
    files = {path.name: path.read_bytes() for path in checkpoints("llama").iterdir()}
    folder = _cached(cache, "org/model", files)
    (folder / name).resolve().unlink()
    with pytest.raises(
        ModelError, match=rf"{name} is a link to \.\./\.\./blobs/\d+, which is not there"
    ) as raised:
        locate("org/model", Settings())
    assert raised.value.fix == f"hf download org/model {name} --revision {COMMIT}"


@pytest.mark.parametrize(
    ("variable", "value"), [("HF_HOME", "file"), ("HF_HUB_CACHE", "file"), ("HF_HUB_CACHE", "file/hub")]
)
def test_cache_that_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """A variable that names a file where the cache is to be is named with its value."""
    (tmp_path / "file").write_text("not a folder")
    place = tmp_path / value
    for other in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(variable, str(place))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(place / "hub" if variable == "HF_HOME" else place))
    with pytest.raises(
        ModelError, match=f"{variable}={place}\\).*{tmp_path / 'file'} is no folder"
    ) as raised:
        snapshot(resolve("org/model"), Settings())
    assert raised.value.fix.startswith(f"unset {variable}")


def test_cached_revision_of_an_alias(cache: Path) -> None:
    """An alias with a revision is that revision of its hub id."""
    expected = _cached(cache, "google/gemma-2-2b-it", {"config.json": b"{}"}, ref="v2")
    assert snapshot(resolve("gemma-2-2b-it@v2"), Settings()) == expected


def test_checkpoint_in_the_cache_loads(cache: Path, checkpoints: Callable[..., Path]) -> None:
    """A checkpoint in the cache, all links, is loaded as one in a directory is, and knows its commit."""
    expected = checkpoints("llama")
    _cached(cache, "org/model", {path.name: path.read_bytes() for path in expected.iterdir()})
    checkpoint = load_checkpoint("org/model", Settings(device_map="cpu"))
    assert (checkpoint.name, checkpoint.files.commit) == ("org/model", COMMIT)
    assert weights_digest(checkpoint.files) == weights_digest(locate(str(expected), Settings()))


def test_environment_says_where_the_cache_is(tmp_path: Path) -> None:
    """HF_HOME moves the cache, and HF_HUB_OFFLINE keeps to it."""
    expected = _cached(tmp_path / "home" / "hub", "org/model", {"config.json": b"{}"})
    code = (
        "from lengthprobe.checkpoints.catalog import resolve\n"
        "from lengthprobe.checkpoints.disk.hub import snapshot\n"
        "from lengthprobe.settings import Settings; print(snapshot(resolve('org/model'), Settings()))"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    told = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=kept | told, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(expected)


def test_base_from_a_cached_card(cache: Path) -> None:
    """The card of a cached repository names the base."""
    _cached(cache, "org/model", {"README.md": b"---\nbase_model: org/base\n---\n"})
    assert base_of(resolve("org/model")) == "org/base"


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("org/model", "hf download org/model "),
        ("org/model@v2", "hf download org/model --revision v2 "),
        ("gemma-2-2b", "hf download google/gemma-2-2b "),
    ],
)
@pytest.mark.usefixtures("cache")
def test_offline_and_not_cached(name: str, command: str) -> None:
    """Offline, a checkpoint that is not cached is answered with the command that fetches it."""
    with pytest.raises(ModelError, match="not in the hub cache") as raised:
        snapshot(resolve(name), Settings())
    assert command in raised.value.fix


def test_gated(answers: dict[str, tuple[int, str]]) -> None:
    """A gated checkpoint is answered with its licence page and the login command."""
    answers["meta-llama/Llama-3.1-8B-Instruct"] = (403, "GatedRepo")
    with pytest.raises(ModelError, match="is gated") as raised:
        snapshot(resolve("llama-3.1-8b-instruct"), Settings())
    assert "https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct" in raised.value.fix
    assert "hf auth login" in raised.value.fix


@pytest.mark.parametrize("answer", [(404, "RepoNotFound"), (401, "RepoNotFound")])
def test_missing(answers: dict[str, tuple[int, str]], answer: tuple[int, str]) -> None:
    """A repository that is missing (or private) is answered with its page and the login command."""
    answers["org/model"] = answer
    with pytest.raises(
        ModelError, match="org/model is not on the hub, or is private, and there is no dir"
    ) as raised:
        snapshot(resolve("org/model"), Settings())
    assert "hf auth login" in raised.value.fix


def test_missing_beside_a_near_folder(
    answers: dict[str, tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path of two parts is spelled as a hub id: a checkpoint in that folder may have been meant."""
    answers["runs/step-400"] = (404, "RepoNotFound")
    (tmp_path / "runs" / "step-4000").mkdir(parents=True)
    (tmp_path / "runs" / "step-4000" / "config.json").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="runs/step-400 is not on the hub") as raised:
        snapshot(resolve("runs/step-400"), Settings())
    assert raised.value.fix.startswith("did you mean runs/step-4000? Or check the name")


def test_missing_revision(answers: dict[str, tuple[int, str]]) -> None:
    """A revision that is missing is named."""
    answers["org/model"] = (404, "RevisionNotFound")
    with pytest.raises(ModelError, match="has no revision 'v9'"):
        snapshot(resolve("org/model@v9"), Settings())


def test_hub_out_of_order(answers: dict[str, tuple[int, str]]) -> None:
    """A hub that answers with an error of its own is out of reach."""
    answers["org/model"] = (500, "")
    with pytest.raises(ModelError, match="the hub cannot be reached") as raised:
        snapshot(resolve("org/model"), Settings())
    assert "hf download org/model" in raised.value.fix


def test_unusable_hub_id(cache: Path) -> None:
    """A hub id that the client refuses is answered with its words."""
    assert not cache.exists()
    with pytest.raises(ModelError, match=r"cannot be downloaded: HFValidationError: .*model\.\.name"):
        snapshot(resolve("org/model..name"), Settings())
