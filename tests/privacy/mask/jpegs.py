"""JPEGs to be masked, and slow and obvious readings of them."""

import io

import numpy as np
import simplejpeg
from PIL import Image

from pixelmine.detect.box import Box
from pixelmine.privacy.mask.jpeg_decode import decode

_ZIGZAG = sorted(
    ((row, column) for row in range(8) for column in range(8)),
    key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]),
)
"""Of each coefficient its row and column: along the diagonals, up and down in turn."""


def box(x0, y0, x1, y1):
    return Box(kind="face", x0=x0, y0=y0, x1=x1, y1=y1, score=1.0)


def drawn(height, width, seed=0):
    """RGB with slopes, edges and noise."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    turns = random.uniform(0.02, 0.3, (2, 3))
    waves = 128 + 110 * np.sin(rows[..., None] * turns[0] + columns[..., None] * turns[1])
    waves[height // 3 :, width // 2 :] = random.integers(0, 256, 3)
    return np.clip(waves + random.normal(0, 12, waves.shape), 0, 255).astype(np.uint8)


def saved(pixels, **options):
    """By Pillow; grey where `pixels` are (H, W)."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", **options)
    return out.getvalue()


def opened(data, mode=None):
    """By Pillow, in the file's own mode or in one that its decoder gives by itself."""
    image = Image.open(io.BytesIO(data))
    if mode:
        image.draft(mode, image.size)
        assert image.mode == mode
    return np.asarray(image)


def read(data):
    return decode(data, max_pixels=10**8)


def blocks_of(decoded, component):
    """int16 (rows, columns, 64)."""
    one = decoded.frame.components[component]
    found = decoded.blocks[one.first : one.first + one.wide * one.high]
    return found.reshape(one.high, one.wide, 64)


def samples(decoded, component):
    """One component by the inverse transform's formula (T.81, A.3.3), float (rows, columns)."""
    one = decoded.frame.components[component]
    scaled = blocks_of(decoded, component) * decoded.quantisation[one.quantised_by].astype(float)
    matrix = np.zeros((one.high, one.wide, 8, 8))
    for place, (row, column) in enumerate(_ZIGZAG):
        matrix[..., row, column] = scaled[..., place]
    wave = np.cos((2 * np.arange(8)[:, None] + 1) * np.arange(8) * np.pi / 16) / 2
    wave[:, 0] /= np.sqrt(2)
    levels = np.einsum("xu,rcuv,yv->rxcy", wave, matrix, wave)
    return np.clip(levels.reshape(8 * one.high, 8 * one.wide) + 128, 0, 255)


def masked_pixels(made, shape):
    """bool (H, W), of a MaskedJpeg: the pixels of its masked MCUs."""
    full = made.masked.repeat(made.mcu_height, axis=0).repeat(made.mcu_width, axis=1)
    return full[: shape[0], : shape[1]]


def around(mask, across, down):
    """The mask and so many pixels beside it, 0 or 1."""
    wider = mask.copy()
    if across:
        wider[:, 1:] |= mask[:, :-1]
        wider[:, :-1] |= mask[:, 1:]
    if down:
        mask = wider.copy()
        wider[1:] |= mask[:-1]
        wider[:-1] |= mask[1:]
    return wider


def check(data, boxes, options, made, within=2):
    """All that a masked JPEG has to be. `within`: levels from the colour, of the fill."""
    assert made.data is not None, made.why
    before, after = read(data), read(made.data)
    for component, one in enumerate(before.frame.components):
        gone = made.masked.repeat(one.down, axis=0).repeat(one.across, axis=1)
        old, new = blocks_of(before, component), blocks_of(after, component)
        np.testing.assert_array_equal(new[~gone], old[~gone])
        assert not new[gone][:, 1:].any()
        assert len(np.unique(new[gone][:, 0])) <= 1
    pixels, masked = opened(data), opened(made.data)
    assert masked.shape == pixels.shape
    gone = masked_pixels(made, pixels.shape)
    across, down = before.frame.smoothed
    outside = ~around(gone, across, down)
    np.testing.assert_array_equal(masked[outside], pixels[outside])
    solid = ~around(~gone, across, down)
    colour = options.colour if pixels.ndim == 3 else options.luma
    for extreme in (masked[solid].min(axis=0), masked[solid].max(axis=0)) if solid.any() else ():
        assert np.abs(extreme - np.array(colour, float)).max() <= within
    for one in boxes:
        part = tuple(
            slice(max(int(np.floor(low)), 0), max(int(np.ceil(high)), 0))
            for low, high in ((one.y0, one.y1), (one.x0, one.x1))
        )
        assert solid[part].all()
    space = "RGB" if pixels.ndim == 3 else "GRAY"
    if (across, down, made.mcu_width) != (True, True, 32):  # 4x2, which TurboJPEG has no name for
        by_other = [
            simplejpeg.decode_jpeg(one, colorspace=space, fastdct=False, fastupsample=False)
            for one in (data, made.data)
        ]
        np.testing.assert_array_equal(by_other[1][outside], by_other[0][outside])
    return pixels, masked, gone
