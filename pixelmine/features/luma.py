"""Grey values, as every designed feature sees them."""

import weakref

import cv2
import numpy as np

__all__ = ["luma"]

_last: tuple[weakref.ref[np.ndarray] | None, np.ndarray | None] = (None, None)


def luma(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, C) to contiguous uint8 (H, W): .299 R + .587 G + .114 B (ITU-R BT.601).

    C = 1 is taken as it is, C = 3 is RGB. Asked again for the same array, which must not have been
    written to, it gives the same grey values: features come one after the other. Read only.
    """
    global _last
    known, grey = _last
    if known is not None and known() is pixels and grey is not None:
        return grey
    whole = np.ascontiguousarray(pixels)  # turned pictures have strides that OpenCV refuses
    grey = (
        whole[:, :, 0]
        if whole.shape[2] == 1
        else np.asarray(cv2.cvtColor(whole, cv2.COLOR_RGB2GRAY))
    )
    _last = weakref.ref(pixels), grey
    return grey
