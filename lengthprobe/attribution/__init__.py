"""Attribution: which component of a model wrote each token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lengthprobe.attribution.direct import Attribution, direct_logit_attribution

__all__ = ["Attribution", "direct_logit_attribution"]


def __getattr__(name: str) -> Any:
    # Loaded at the first use, since it needs torch.
    if name in __all__:
        from lengthprobe.attribution import direct

        return getattr(direct, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
