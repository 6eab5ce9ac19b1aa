"""Stored samples of a grey DICOM frame to the levels that it is shown with."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["levels", "to_bytes"]

_SHARES = (1, 99)
"""Percent of the samples between which levels spread where no window is named: one bright marker
or metal clip must not darken all the rest."""


def levels(samples: np.ndarray, data_set: "Dataset") -> np.ndarray:
    """(H, W) of any number type to float64 (H, W), 0 for black to 1 for white.

    The modality's table or rescaling, then the first table or window of interest; where there is
    none, 8-bit samples as they are, and others between their percentiles. MONOCHROME1 is inverted.
    Source: DICOM PS3.3, C.11.1 and C.11.2.
    """
    from pydicom.pixels import apply_modality_lut

    values = np.asarray(apply_modality_lut(samples, data_set), np.float64)
    stored = int(data_set.get("BitsStored") or 16)
    center, width = (_first(data_set.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if data_set.get("VOILUTSequence"):
        shown = _by_table(values, data_set.VOILUTSequence[0], data_set.original_encoding[1])
    elif center is not None and width is not None and width > 0:
        shown = _window(values, center, width, str(data_set.get("VOILUTFunction") or "LINEAR"))
    elif stored <= 8 and np.array_equal(values, samples) and values.min(initial=0) >= 0:
        shown = values / (2**stored - 1)
    else:
        shown = _spread(values, _padding(samples, data_set))
    shown = np.clip(np.nan_to_num(shown), 0, 1)
    inverted = data_set.PhotometricInterpretation == "MONOCHROME1"
    return np.asarray(1 - shown if inverted else shown)


def to_bytes(shown: np.ndarray) -> np.ndarray:
    """0 to 1 to uint8."""
    return np.asarray(np.rint(shown * 255), np.uint8)


def _by_table(values: np.ndarray, item: "Dataset", little: bool | None) -> np.ndarray:
    """C.11.2.1.1: how many entries (0 for 65536), the value of the first, the bits of each.

    Not `pydicom.pixels.apply_voi`, which indexes a table of 8 bits with 8-bit numbers.
    """
    entries, first, bits = (int(number) for number in item.LUTDescriptor)
    entries = entries or 2**16
    data = item.LUTData
    if isinstance(data, bytes):
        wide = len(data) >= 2 * entries
        data = np.frombuffer(data, (">u2", "<u2")[little is not False] if wide else np.uint8)
    table = np.asarray(data, np.float64)[:entries] / (2**bits - 1)
    return np.asarray(table[np.clip(np.rint(values) - first, 0, len(table) - 1).astype(np.int64)])


def _window(values: np.ndarray, center: float, width: float, function: str) -> np.ndarray:
    """C.11.2.1.2 and C.11.2.1.3."""
    if function == "SIGMOID":
        return np.asarray(1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700))))
    if function == "LINEAR_EXACT":
        return np.asarray((values - center) / width + 0.5)
    if width == 1:
        return np.asarray(values > center - 0.5, np.float64)
    return np.asarray((values - (center - 0.5)) / (width - 1) + 0.5)


def _spread(values: np.ndarray, padding: np.ndarray | None) -> np.ndarray:
    seen = values[np.isfinite(values) & ~padding] if padding is not None else values
    seen = seen[np.isfinite(seen)]
    if not seen.size:
        return np.zeros_like(values)
    low, high = np.percentile(seen, _SHARES)
    if high == low:
        low, high = seen.min(), seen.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _padding(samples: np.ndarray, data_set: "Dataset") -> np.ndarray | None:
    value = data_set.get("PixelPaddingValue")
    return None if value is None else np.asarray(samples == value)


def _first(value: object) -> float | None:
    """Of several windows the first."""
    if value is None or value == "":
        return None
    if isinstance(value, (str, float, int)):
        return float(value)
    return next((float(one) for one in value), None)  # type: ignore[attr-defined]  # or it is one value
