"""Whole: whether the weights of a folder fit the model of its config."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.disk.load_report import first_names, unfitting_tensors
from lengthprobe.checkpoints.quantized.formats import libraries_of, stated_quantization
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lengthprobe.checkpoints.files import Files

# By how a tensor's name ends: what stores a quantized weight so.
_STORED_BY = {
    ".qweight": "GPTQ or AWQ",
    ".weight_packed": "compressed-tensors",
    "._weight_qdata": "torchao",
    ".W_q": "HQQ",
    ".weight._data": "quanto",
    ".weight.quant_map": "bitsandbytes",
    ".SCB": "bitsandbytes",
    "_blocks": "mxfp4",
    ".weight_scale_inv": "fp8",
    ".weight_scale": "fp8 or compressed-tensors",
}


def check_complete(files: Files, report: Mapping[str, Any]) -> None:
    """Refuse weights that do not fit, where transformers would go on with random numbers.

    Args:
        files: The checkpoint.
        report: The second result of `from_pretrained(…, output_loading_info=True)`, beside the model.

    Raises:
        ModelError: Tensors are missing, of another shape or unknown; a message about quantized weights says
            so.
    """
    unfitting = unfitting_tensors(report)
    if unfitting is None:
        return
    kind, names = unfitting
    what = {
        "missing_keys": "the weights lack",
        "mismatched_keys": "the weights have another shape than config.json says for",
        "unexpected_keys": "config.json knows nothing of",
    }[kind]
    _refuse_unread(files, report, f"{what} {names}")
    raise ModelError(
        f"{files.directory} is not whole: {what} {names}",
        "save the model again with save_pretrained, or restore the config.json of these weights",
    )


def _refuse_unread(files: Files, report: Mapping[str, Any], what: str) -> None:
    """Refuse weights that are quantized, by config.json or by the names of their tensors."""
    if how := stated_quantization(files.config):
        packages = libraries_of(files.config)
        raise ModelError(
            f"{files.directory} is quantized ({how}), and {_installed(packages)} cannot read it: {what}",
            "install the versions that it was saved with, restore the config.json of these weights, or name "
            "the unquantized checkpoint",
        )
    strangers = sorted(str(name) for name in report.get("unexpected_keys") or ())
    for end, method in _STORED_BY.items():
        if packed := [name for name in strangers if name.endswith(end)]:
            raise ModelError(
                f"{files.directory} has weights that are quantized as {method} stores them "
                f"({first_names(packed)}), and its config.json names no quantization method",
                "restore quantization_config in its config.json, or name the unquantized checkpoint",
            )


def _installed(packages: Sequence[str]) -> str:
    installed = [f"transformers {version('transformers')}"]
    for package in packages:
        try:
            installed.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return " with ".join((installed[0], " and ".join(installed[1:]))) if installed[1:] else installed[0]
