"""Test images that need no other program to make, and the reference tomogram where it is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from scipy import fft

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "reference"
SEED = 20417


def blobs(size: int, porosity: float, width: float | None = None) -> np.ndarray:
    """Periodic Gaussian noise, cut at the porosity; pores as wide as PoreSpy's blobs of blobiness 1 by default."""
    width = size / 40 if width is None else width
    noise = np.random.default_rng(SEED).random((size, size, size), dtype=np.float32)
    noise -= 0.5
    spectrum = fft.rfftn(noise, workers=2, overwrite_x=True)
    del noise
    for axis, frequency in enumerate((fft.fftfreq(size), fft.fftfreq(size), fft.rfftfreq(size))):
        damping = np.exp(-2.0 * (np.pi * width * frequency) ** 2).astype(np.float32)
        spectrum *= np.expand_dims(damping, tuple({0, 1, 2} - {axis}))
    smooth = fft.irfftn(spectrum, (size, size, size), workers=2, overwrite_x=True)
    rank = round(porosity * smooth.size)
    return smooth < np.partition(smooth, rank, axis=None)[rank]


def tomogram() -> np.ndarray | None:
    """Calendered NMC electrode of NREL: 0 pore, 1 NMC, 2 carbon and binder; None where it is not at hand."""
    path = REFERENCE / "images" / "nrel_nmc1cal_crop128.npz"
    return np.load(path)["labels"] if path.is_file() else None


def fingerprint(image: np.ndarray) -> str:
    """Name of an image by its content: numbers are compared for the same image only."""
    return hashlib.sha256(np.packbits(image) if image.dtype == bool else image).hexdigest()[:12]
