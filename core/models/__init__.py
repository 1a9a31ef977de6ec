"""Model packs: weights on disk, verified."""

from core.models.install import ensure_models

__all__ = ["ensure_models"]
