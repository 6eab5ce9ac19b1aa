"""Plates and signs, drawn into photographs at known places."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

MATPLOTLIB = Path(matplotlib.get_data_path()) / "fonts/ttf"
DEBIAN = Path("/usr/share/fonts/truetype/liberation")
NAMES = (
    *("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSerif.ttf"),
    *("DejaVuSerif-Bold.ttf", "DejaVuSans-Oblique.ttf", "STIXGeneral.ttf", "STIXGeneralBol.ttf"),
    *("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf", "LiberationSansNarrow-Bold.ttf"),
    *("LiberationSerif-Italic.ttf", "LiberationMono-Bold.ttf"),
)
LETTERS, DIGITS = "ABCDEFGHJKLMNPRSTUVWXYZ", "0123456789"
FORMS = ("AA00AAA", "A AA 0000", "0AAA000", "AAA 0000", "AA-000-AA", "000-AAA", "AA 000 00")
"""Of plates: the United Kingdom, Germany, California, much of the Americas, France, others."""
WORDS = (
    *("NO PARKING", "Main Street", "Bakery", "EXIT", "Dr. A. Miller", "Room 214", "SALE 50%"),
    *("+49 30 1234567", "anna@example.org", "Platform 9", "FIRE DOOR", "Liu Wei", "Pharmacy"),
    *("Apartment 12B", "CAUTION", "14 Elm Road", "Maria Rossi", "Ticket 00817", "OPEN", "Gate C7"),
)
BOARDS = (
    *(((255, 255, 255), (15, 15, 15)), ((245, 205, 40), (15, 15, 15))),
    *(((20, 60, 150), (250, 250, 250)), ((15, 110, 60), (250, 250, 250))),
    *(((25, 25, 25), (240, 240, 240)), ((190, 25, 30), (250, 250, 250))),
    *(((225, 225, 215), (20, 40, 120)), ((120, 120, 120), (250, 250, 250))),
)
"""Of the board, and of the letters, RGB."""
SMALLEST, LARGEST = 12.0, 60.0
QUALITY = 60


@dataclass(frozen=True)
class Planted:
    """One text in one photograph.

    `pixels`: uint8 (H, W, 3) RGB, after JPEG. `corners`: around the ink, float64 (4, 2): upper
    left, upper right, lower right, lower left. `height`: of the ink, in pixels, across the line.
    """

    pixels: np.ndarray
    corners: np.ndarray
    text: str
    kind: str
    board: bool
    height: float
    angle: float


def fonts() -> list[Path]:
    """Those of NAMES that this machine has."""
    found = [folder / name for name in NAMES for folder in (MATPLOTLIB, DEBIAN)]
    return [path for path in found if path.is_file()]


def plant(photograph: np.ndarray, generator: np.random.Generator, known: Sequence[Path]) -> Planted:
    """Draw a plate (half of the time) or a sign into a copy of a photograph."""
    kind = ("plate", "sign")[generator.integers(2)]
    text = _plate(generator) if kind == "plate" else str(generator.choice(WORDS))
    board = kind == "plate" or generator.random() < 0.6
    height = float(np.exp(generator.uniform(np.log(SMALLEST), np.log(LARGEST))))
    angle = float(generator.uniform(-20, 20))
    font = known[generator.integers(len(known))]
    colours = BOARDS[generator.integers(len(BOARDS))]
    picture_height, picture_width = photograph.shape[:2]
    while True:
        drawn, alpha, ink = _draw(text, font, height, board, colours, generator)
        matrix = _place(drawn.shape[:2], angle, generator)
        outline = _through(matrix, _corners(0, 0, drawn.shape[1], drawn.shape[0]))
        low, high = outline.min(axis=0), outline.max(axis=0)
        room = np.array([picture_width, picture_height]) - (high - low) - 4
        if (room > 0).all():
            break
        height, generator = height * 0.9, np.random.default_rng(generator.integers(2**32))
    shift = generator.uniform(0, 1, 2) * room + 2 - low
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]]) @ matrix
    corners = _through(matrix, ink)
    pixels = _blend(photograph, drawn, alpha, matrix, board, corners, generator)
    sides = np.linalg.norm(corners[[0, 1]] - corners[[3, 2]], axis=1)
    pixels = _worsen(pixels, float(sides.mean()), generator)
    return Planted(pixels, corners, text, kind, board, float(sides.mean()), angle)


SCALE = 4
"""What is drawn is so many times as large as it will be, so that its edges are smooth."""


def _draw(
    text: str,
    font: Path,
    height: float,
    board: bool,
    colours: tuple[tuple[int, int, int], tuple[int, int, int]],
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """RGB, alpha (H, W) from 0 to 1, and the corners of the ink, all SCALE times as large."""
    tall = ImageFont.truetype(str(font), 200)
    box = tall.getbbox(text)
    size = max(4, round(200 * SCALE * height / (box[3] - box[1])))
    face = ImageFont.truetype(str(font), size)
    left, top, right, bottom = face.getbbox(text)
    around = [round(part * SCALE * height) for part in generator.uniform(0.2, 0.5, 2)]
    width, tall_px = right - left + 2 * around[0], bottom - top + 2 * around[1]
    image = Image.new("L", (width, tall_px), 0)
    ImageDraw.Draw(image).text((around[0] - left, around[1] - top), text, fill=255, font=face)
    letters = np.asarray(image, np.float32)[..., None] / 255
    background, foreground = (np.array(colour, np.float32) for colour in colours)
    drawn = background * (1 - letters) + foreground * letters
    if board:
        edge = max(1, round(0.06 * SCALE * height))
        framed = generator.random() < 0.5
        if framed:
            cv2.rectangle(drawn, (edge, edge), (width - edge, tall_px - edge), colours[1], edge)
        alpha = np.ones((tall_px, width), np.float32)
    else:
        drawn, alpha = np.broadcast_to(foreground, drawn.shape).copy(), letters[..., 0]
    ink = _corners(around[0], around[1], right - left + around[0], bottom - top + around[1])
    return drawn, alpha, ink


def _place(size: tuple[int, int], angle: float, generator: np.random.Generator) -> np.ndarray:
    """A turn by `angle` degrees after a change of perspective, and down to the true size."""
    height, width = size
    start = _corners(0, 0, width, height).astype(np.float32)
    jitter = generator.uniform(-0.08, 0.08, (4, 2)) * (min(width, 2 * height), height)
    perspective = cv2.getPerspectiveTransform(start, (start + jitter).astype(np.float32))
    turn = np.radians(angle)
    turned = np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, SCALE]]
    )
    return turned @ perspective


def _blend(
    photograph: np.ndarray,
    drawn: np.ndarray,
    alpha: np.ndarray,
    matrix: np.ndarray,
    board: bool,
    corners: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    size = photograph.shape[1], photograph.shape[0]
    doubled = np.diag([2.0, 2.0, 1.0]) @ matrix  # drawn twice as large, then halved: smooth edges
    large = size[0] * 2, size[1] * 2
    cover = cv2.warpPerspective(alpha, doubled, large, flags=cv2.INTER_AREA)
    colour = cv2.warpPerspective(
        drawn, doubled, large, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    cover = cv2.resize(cover, size, interpolation=cv2.INTER_AREA)[..., None]
    colour = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
    if not board:  # letters straight on the photograph: light where it is dark there, and so on
        inside = np.zeros(photograph.shape[:2], np.uint8)
        cv2.fillPoly(inside, corners.round().astype(np.int32)[None], 1)
        grey = cv2.mean(cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY), inside)[0]
        tone = generator.uniform(215, 255) if grey < 128 else generator.uniform(0, 40)
        colour = np.full_like(colour, tone) + generator.uniform(-15, 15, 3).astype(np.float32)
    light = generator.uniform(0.75, 1.0) if board else 1.0
    return photograph * (1 - cover) + colour * light * cover


def _worsen(pixels: np.ndarray, height: float, generator: np.random.Generator) -> np.ndarray:
    """Blur of up to a sixteenth of the letters' height, noise of up to 8 of 255, and JPEG."""
    sigma = generator.uniform(0, min(1.2, height / 16))
    if sigma > 0.2:
        pixels = cv2.GaussianBlur(pixels, (0, 0), sigma)
    noisy = pixels + generator.normal(0, generator.uniform(0, 8), pixels.shape)
    out = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(out).convert("RGB"))


def _plate(generator: np.random.Generator) -> str:
    form = str(generator.choice(FORMS))
    drawn = {"A": LETTERS, "0": DIGITS}
    return "".join(
        str(generator.choice(list(drawn[sign]))) if sign in drawn else sign for sign in form
    )


def _corners(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def _through(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    moved = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return moved[:, :2] / moved[:, 2:]
