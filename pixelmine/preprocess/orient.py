"""EXIF orientation."""

import numpy as np

__all__ = ["orient"]


def orient(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn (H, W, C) pixels upright. `orientation`: EXIF tag 274, 1 to 8; others change nothing.

    Source: Exif 3.0 (CIPA DC-008), 4.6.5.1.4, where 6 is "rotate 90 degrees clockwise to see it".
    The result may be a view.
    """
    turned = {
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: p[::-1].transpose(1, 0, 2),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: p[:, ::-1].transpose(1, 0, 2),
    }
    return turned[orientation](pixels) if orientation in turned else pixels
