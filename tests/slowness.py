"""How slow a machine is: tests that bound seconds allow it as many times as long."""

from __future__ import annotations

import io
import time

from PIL import Image

# Seconds of the work below on a machine like those on which the bounds were set (where one run of
# SFace takes 13.5 ms of one core).
USUAL = 0.13


def slowness() -> float:
    """At least 1; by drawing, resizing and compressing a picture with Pillow alone."""
    return max(1.0, min(_work() for _ in range(3)) / USUAL)


def _work() -> float:
    """Seconds of computing."""
    started = time.process_time()
    picture = Image.effect_mandelbrot((512, 512), (-2, -1.5, 1, 1.5), 100).convert("RGB")
    for _ in range(3):
        large = picture.resize((2048, 2048), Image.Resampling.LANCZOS)
        large.save(io.BytesIO(), "JPEG", quality=90)
    return time.process_time() - started
