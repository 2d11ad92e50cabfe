"""A checkpoint on disk: found by name and checked, and not loaded yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lengthprobe.checkpoints.adapters.directory import base_name, is_adapter, no_base, require_peft
from lengthprobe.checkpoints.catalog import Source, resolve
from lengthprobe.checkpoints.disk.hub import commit, snapshot
from lengthprobe.checkpoints.disk.readable import check_readable
from lengthprobe.checkpoints.disk.sizes import has_many_layers, refuse_layers, refuse_size
from lengthprobe.checkpoints.disk.stamps import stamp_of
from lengthprobe.checkpoints.disk.weights import (
    INDEX,
    indexed_files,
    is_weight_file,
    read_json,
    weight_files,
    weights_name,
)
from lengthprobe.checkpoints.gguf.config import gguf_config
from lengthprobe.checkpoints.gguf.files import gguf_of, refuse_part
from lengthprobe.checkpoints.gguf.header import Gguf, read_gguf
from lengthprobe.checkpoints.leftovers import refuse_adapter_beside, refuse_parent
from lengthprobe.checkpoints.model_kind import causal_config
from lengthprobe.checkpoints.quantized.formats import refuse_unknown_method
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PretrainedConfig

    from lengthprobe.settings import Settings

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a checkpoint.

    Args:
        source: The source that the name means.
        directory: Where the config and the weights are; for an adapter, the config and the weights of the
            base.
        config: The architecture.
        weights: The files with the weights, in name order.
        tokenizer: Where the tokenizer is.
        adapter: The directory of an adapter; None for a whole model.
        adapter_weights: The files with an adapter's weights.
        loaded_as: The name of the file or index through which transformers loads the weights; None for
            pickled weights.
        stamp: A digest of the sizes and times of the files, taken when the checkpoint was located.
        gguf: The header, where the checkpoint is a GGUF file; else None.
    """

    source: Source
    directory: Path
    config: PretrainedConfig
    weights: tuple[Path, ...]
    tokenizer: Path
    adapter: Path | None = None
    adapter_weights: tuple[Path, ...] = ()
    loaded_as: str | None = None
    stamp: str = ""
    gguf: Gguf | None = None

    @property
    def commit(self) -> str | None:
        """The commit of the checkpoint on the hub, or None for a checkpoint from elsewhere."""
        return commit(self.adapter or self.directory)

    @property
    def is_changed(self) -> bool:
        """Whether a file was written since the checkpoint was located."""
        return self.stamp != self._stamp_now()

    def stamped(self) -> Files:
        """These files, with the sizes and times of now."""
        return replace(self, stamp=self._stamp_now())

    def _stamp_now(self) -> str:
        if self.gguf is not None:
            # What lies beside it is not read.
            return stamp_of((), self.weights)
        return stamp_of(self.directories, (*self.weights, *self.adapter_weights))

    @property
    def directories(self) -> tuple[Path, ...]:
        """The directories of config, tokenizer and adapter, each once."""
        return tuple(
            dict.fromkeys(folder for folder in (self.directory, self.tokenizer, self.adapter) if folder)
        )

    @property
    def weight_bytes(self) -> int:
        """The size of the weights on disk; of a GGUF file, as large as they are when dequantized."""
        if self.gguf is not None:
            return self.gguf.elements * int(self.config.dtype.itemsize)  # type: ignore[union-attr]
        return sum(path.stat().st_size for path in (*self.weights, *self.adapter_weights))


def locate(name: str, settings: Settings) -> Files:
    """The files of the checkpoint that a name means, downloaded if need be, and checked.

    Raises:
        ModelError: The checkpoint cannot be found, or lengthprobe cannot run it.
    """
    return _locate(resolve(name), settings, ()).stamped()


def _locate(source: Source, settings: Settings, within: tuple[Path, ...]) -> Files:
    directory = source.path or snapshot(source, settings)
    check_readable(directory)
    path = gguf_of(source, directory)
    if path is not None:
        return _locate_gguf(source, path, within)
    if is_adapter(directory):
        return _locate_adapter(source, directory, settings, within)
    refuse_parent(directory)
    path = directory / "config.json"
    stated = read_json(path) if path.is_file() else {}
    named = stated.get("transformers_weights")
    if has_many_layers(stated):
        # Some configs hold a list as long as this number, so that even to read them takes the memory.
        refuse_layers(path, stated, weight_files(directory, named=named, allow_pickle=settings.allow_pickle))
    config = causal_config(directory, settings)
    weights = weight_files(directory, named=named, allow_pickle=settings.allow_pickle)
    refuse_adapter_beside(directory, weights[0].name)
    refuse_unknown_method(path, config)
    refuse_layers(path, stated, weights)
    refuse_size(path, config, weights, trusted=settings.allow_remote_code)
    if not within and not _has_tokenizer(directory):
        raise _no_tokenizer(directory)
    _refuse_other_file(source, directory, weights)
    loaded_as = weights_name(directory, weights, named)
    return Files(source, directory, config, weights, directory, loaded_as=loaded_as)


def _locate_gguf(source: Source, path: Path, within: tuple[Path, ...]) -> Files:
    if within:
        raise ModelError(
            f"it is a GGUF file ({path}), and an adapter is trained on other weights",
            "let base_model_name_or_path in the adapter's config name the folder that was trained on",
        )
    gguf = read_gguf(path)
    refuse_part(gguf)
    return Files(source, path.parent, gguf_config(gguf), (path,), path, gguf=gguf)


def _refuse_other_file(source: Source, directory: Path, weights: tuple[Path, ...]) -> None:
    """Check that a file named after a colon is among the loaded weights, or is their index.

    Raises:
        ModelError: Another file is named, or a missing file.
    """
    names = {file.name for file in weights}
    named = source.file
    if named is None or named in names:
        return
    path = directory / named
    if named.endswith(INDEX) and is_weight_file(path) and set(indexed_files(path)) == set(weights):
        return
    raise ModelError(
        f"{source.name} names {named}, and the weights of {directory} are {', '.join(sorted(names))[:200]}",
        f"setting:model={source.name.removesuffix(f':{named}')}:{weights[0].name}",
    )


def _locate_adapter(source: Source, adapter: Path, settings: Settings, within: tuple[Path, ...]) -> Files:
    require_peft(adapter)
    if within:
        raise ModelError(
            f"the adapter in {within[-1]} names another adapter as its base: {adapter}",
            "merge that one into its own base first (merge_and_unload, save_pretrained)",
        )
    name = str(base_name(adapter))
    try:
        base = _locate(resolve(name, near=adapter), settings, (adapter,))
    except ModelError as error:
        raise no_base(adapter, name, error) from error
    weights = weight_files(adapter, stem="adapter_model", allow_pickle=settings.allow_pickle)
    _refuse_other_file(source, adapter, weights)
    # Chat tuning often brings a tokenizer of its own; a plain adapter has its base's.
    tokenizer = adapter if _has_tokenizer(adapter) else base.directory
    if not _has_tokenizer(tokenizer):
        raise _no_tokenizer(tokenizer)
    return Files(
        source, base.directory, base.config, base.weights, tokenizer, adapter, weights, base.loaded_as
    )


def _has_tokenizer(directory: Path) -> bool:
    return any((directory / name).is_file() for name in _TOKENIZERS)


def _no_tokenizer(directory: Path) -> ModelError:
    return ModelError(
        f"{directory} holds no tokenizer (no {', '.join(_TOKENIZERS[:2])}, …)",
        "save it there: AutoTokenizer.from_pretrained(<the base model>).save_pretrained(<the directory>)",
    )
