"""Quantization as a config states it, compared with the methods of transformers and with the weights."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import starmap
from typing import TYPE_CHECKING, Any

from lengthprobe.checkpoints.disk.headers import tensors_of
from lengthprobe.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import PretrainedConfig

_KEY = "quantization_config"
# Methods that never store all weights in 16 or 32 bits. Others may: bitnet quantizes while it runs.
_NARROW = (
    "fp8",
    "fbgemm_fp8",
    "mxfp8",
    "nvfp4",
    "mxfp4",
    "gptq",
    "awq",
    "aqlm",
    "spqr",
    "vptq",
    "eetq",
    "hqq",
)
_WIDE = ("F64", "F32", "F16", "BF16")
_ACCELERATE = ("accelerate", "accelerate")
# By method: what transformers asks for, as pip and as Python call it.
_LIBRARIES = {
    "bitsandbytes": (("bitsandbytes", "bitsandbytes"), _ACCELERATE),
    "bitsandbytes_4bit": (("bitsandbytes", "bitsandbytes"), _ACCELERATE),
    "bitsandbytes_8bit": (("bitsandbytes", "bitsandbytes"), _ACCELERATE),
    "awq": (("gptqmodel", "gptqmodel"), _ACCELERATE),
    "gptq": (("optimum", "optimum"), ("gptqmodel", "gptqmodel"), _ACCELERATE),
    "compressed-tensors": (("compressed-tensors", "compressed_tensors"), _ACCELERATE),
    "fp8": (_ACCELERATE,),
    "fbgemm_fp8": (_ACCELERATE,),
    "mxfp4": (_ACCELERATE,),
    "bitnet": (_ACCELERATE,),
    "torchao": (("torchao", "torchao"), _ACCELERATE),
    "quanto": (("optimum-quanto", "optimum"), _ACCELERATE),
    "hqq": (("hqq", "hqq"), _ACCELERATE),
    "aqlm": (("aqlm[gpu,cpu]", "aqlm"), _ACCELERATE),
    "auto-round": (("auto-round", "auto_round"), _ACCELERATE),
    "eetq": (("kernels", "kernels"), _ACCELERATE),
}


def refuse_unknown_method(path: Path, config: PretrainedConfig) -> None:
    """Check that transformers knows the quantization method of a config: unknown methods would be ignored.

    Args:
        path: The config.json.
        config: The config.

    Raises:
        ModelError: The config names no method, or an unknown method.
    """
    stated = _stated(config)
    if stated is None:
        return
    from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING

    method = stated.get("quant_method")
    # The method of bitsandbytes' first checkpoints goes without saying.
    if method is None and (stated.get("load_in_8bit") or stated.get("load_in_4bit")):
        return
    # bitsandbytes is listed there as two methods, by its number of bits.
    if isinstance(method, str) and method in ("bitsandbytes", *AUTO_QUANTIZATION_CONFIG_MAPPING):
        return
    unknown = f"names the method {method!r}, which transformers does not know"
    raise ModelError(
        f"{_KEY} in {path} {unknown if method is not None else 'names no quant_method'}",
        f"if the weights are not quantized, remove {_KEY} from config.json; if they are, restore the "
        "config.json of these weights, or: pip install --upgrade transformers",
    )


def require_library(name: str, config: PretrainedConfig) -> None:
    """Check that the libraries for the quantized weights of a config are installed.

    Args:
        name: The checkpoint, for the message.
        config: The checkpoint's config.

    Raises:
        ModelError: A library is missing; the message has the line to install all of them.
    """
    method = _method(config)
    needed = _LIBRARIES.get(method or "", ())
    gone = [package for package, module in needed if find_spec(module) is None]
    if gone:
        packages = " ".join(package for package, _ in needed)
        raise ModelError(
            f"{name} cannot be loaded: it is quantized ({stated_quantization(config)}), and "
            f"{' and '.join(gone)} {'is' if len(gone) == 1 else 'are'} not installed",
            f"pip install {packages}",
        )


def libraries_of(config: PretrainedConfig) -> tuple[str, ...]:
    """The packages with which transformers runs the quantized weights of a config."""
    return tuple(
        package for package, _ in _LIBRARIES.get(_method(config) or "", ()) if package != "accelerate"
    )


def stated_quantization(config: PretrainedConfig) -> str:
    """The quantization of a config's weights, in few words; empty for plain weights.

    >>> from transformers import LlamaConfig
    >>> four_bits = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    >>> stated_quantization(LlamaConfig(quantization_config=four_bits))
    'bitsandbytes, 4 bits'
    >>> stated_quantization(LlamaConfig(quantization_config={"quant_method": "quanto", "weights": "int8"}))
    'quanto, int8'
    """
    stated, method = _stated(config) or {}, _method(config)
    if method is None:
        return ""
    return ", ".join((method, *_details(method, stated)))


def loaded_quantization(config: PretrainedConfig, model: Any) -> str:
    """The kind of quantization, and the form in which the weights run; empty without quantization.

    Args:
        config: The config.
        model: The model made by transformers.
    """
    if not (how := stated_quantization(config)):
        return ""
    kept = bool(getattr(model, "is_quantized", False))
    number = str(model.dtype).removeprefix("torch.")
    return (
        f"{how}; run as it is" if kept else f"{how}; made {number} again when it was loaded, and run as that"
    )


def keeps_format(config: PretrainedConfig) -> bool:
    """Whether quantized weights compute in the number format of the saved model, and in no other."""
    return _method(config) == "torchao"


def refuse_unquantized(path: Path, config: PretrainedConfig, weights: Sequence[Path]) -> None:
    """Check that weights are quantized where a config says so.

    Args:
        path: The config.json.
        config: The config.
        weights: The weight files; only safetensors can be looked into.

    Raises:
        ModelError: The weights are not quantized.
    """
    method = (_stated(config) or {}).get("quant_method")
    if method not in _NARROW or any(file.suffix != ".safetensors" for file in weights):
        return
    formats = {tensor.dtype for file in weights for tensor in tensors_of(file).values()}
    if formats <= set(_WIDE):
        raise ModelError(
            f"{_KEY} in {path} names the method {method!r}, and the weights are not quantized "
            f"({', '.join(sorted(formats))})",
            f"remove {_KEY} from config.json, or restore the weights that it belongs to",
        )


def _method(config: PretrainedConfig) -> str | None:
    """The quantization method of a config, None without one."""
    stated = _stated(config)
    if stated is None:
        return None
    method = stated.get("quant_method")
    # Not a string, or an enumeration of transformers.
    return str(getattr(method, "value", method) or "bitsandbytes")


def _details(method: str, stated: dict[str, Any]) -> tuple[str, ...]:
    """The number of bits that a method keeps, or another detail."""
    if method == "compressed-tensors":
        groups = stated.get("config_groups")
        return tuple(dict.fromkeys(starmap(_group, groups.items()))) if isinstance(groups, dict) else ()
    inner: Any = stated
    if method == "torchao":
        inner = stated.get("quant_type")
        inner = inner.get("default", inner) if isinstance(inner, dict) else inner
        kind = inner.get("_type") if isinstance(inner, dict) else inner
        return (kind,) if isinstance(kind, str) else ()
    if method == "quanto":
        return (stated["weights"],) if isinstance(stated.get("weights"), str) else ()
    if method == "hqq":
        for key in ("quant_config", "weight_quant_params"):
            inner = inner.get(key) if isinstance(inner, dict) else None
        bits = inner.get("nbits") if isinstance(inner, dict) else None
    else:
        bits = stated.get("bits") or (
            4 if stated.get("load_in_4bit") else 8 if stated.get("load_in_8bit") else 0
        )
    return (f"{bits} bits",) if bits else ()


def _group(name: str, group: Any) -> str:
    """The name of a group of layers in compressed-tensors: a known scheme, or bits as in `W4A16`."""
    if not isinstance(group, dict):
        return name
    stated = [group.get(key) for key in ("weights", "input_activations")]
    weights, inputs = (part if isinstance(part, dict) else {} for part in stated)
    kind = " fp" if "float" in (weights.get("type"), inputs.get("type")) else ""
    return f"W{weights.get('num_bits', 16)}A{inputs.get('num_bits', 16)}{kind}"


def _stated(config: PretrainedConfig) -> dict[str, Any] | None:
    """The entry of a config about quantization, from the whole config or the text model's part."""
    for part in (config, config.get_text_config()):
        stated = getattr(part, _KEY, None)
        if stated is not None:
            entry: Any = stated.to_dict() if hasattr(stated, "to_dict") else stated
            return entry if isinstance(entry, dict) else {}
    return None
