"""Photographs with faces in packages that anyone may install, and where the faces are.

Boxes were drawn by hand over a grid, before any detector had seen the pictures: from the hairline
to the chin and from cheek to cheek, as WIDER FACE draws them. They are x0, y0, x1, y1 in tenths of
the picture's longer side. Each portrait is of another person, but for those named twice. How many
people the six group pictures show is not known: 22 faces, some of them perhaps of one person.
"""

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["LABELLED", "PACKAGES", "Labelled", "people"]

PACKAGES = {
    "soft-ui": "soft-ui-design-system@1.0.4",
    "material-kit": "material-kit@2.0.4",
    "material-dashboard": "material-dashboard-react@1.10.0",
    "admin-lte": "admin-lte@4.9.1",
    "gentelella": "gentelella@4.2.0",
    "face-api": "@vladmandic/face-api@1.7.15",
}
"""Of npm, all under the MIT licence. The other pictures come with scikit-image and matplotlib."""


class Labelled(NamedTuple):
    """One face. `source`: a key of PACKAGES, or `skimage` or `matplotlib`."""

    source: str
    member: str
    person: str
    box: tuple[float, float, float, float]


_SOFT, _KIT = "package/assets/img/", "package/assets/img/faces/"
_LTE, _DEMO = "package/dist/assets/img/", "package/demo/"

LABELLED = (
    Labelled("soft-ui", f"{_SOFT}bruce-mars.jpg", "bruce", (4.3, 3.7, 7.3, 6.8)),
    Labelled("soft-ui", f"{_SOFT}charles.jpg", "charles", (2.85, 2.95, 4.35, 4.75)),
    Labelled("soft-ui", f"{_SOFT}ivana-square.jpg", "brooke", (2.9, 3.5, 5.4, 7.0)),
    Labelled("soft-ui", f"{_SOFT}ivana.jpg", "ivana", (2.4, 4.2, 4.1, 6.4)),
    Labelled("soft-ui", f"{_SOFT}kal-visuals-square.jpg", "kal", (3.5, 2.2, 6.9, 6.5)),
    Labelled("soft-ui", f"{_SOFT}marie.jpg", "marie", (2.8, 2.3, 6.9, 7.9)),
    Labelled("soft-ui", f"{_SOFT}team-1.jpg", "team-1", (3.85, 3.1, 5.85, 5.9)),
    Labelled("soft-ui", f"{_SOFT}team-2.jpg", "team-2", (4.2, 2.8, 7.4, 7.4)),
    Labelled("soft-ui", f"{_SOFT}team-3.jpg", "team-3", (3.3, 1.4, 6.5, 5.6)),
    Labelled("soft-ui", f"{_SOFT}team-4.jpg", "team-4", (4.5, 3.4, 6.6, 6.0)),
    Labelled("material-kit", f"{_KIT}avatar.jpg", "avatar", (3.9, 1.7, 5.9, 5.1)),
    Labelled("material-kit", f"{_KIT}camp.jpg", "camp", (3.5, 1.6, 6.7, 6.5)),
    Labelled("material-kit", f"{_KIT}card-profile1-square.jpg", "card-1", (1.7, 2.0, 4.7, 6.2)),
    Labelled("material-kit", f"{_KIT}card-profile2-square.jpg", "card-2", (1.2, 3.2, 3.6, 7.5)),
    Labelled("material-kit", f"{_KIT}card-profile4-square.jpg", "card-4", (5.6, 3.1, 7.9, 5.9)),
    Labelled("material-kit", f"{_KIT}card-profile5-square.jpg", "card-5", (2.9, 2.0, 5.8, 6.1)),
    Labelled("material-kit", f"{_KIT}card-profile6-square.jpg", "card-6", (5.2, 3.5, 7.5, 6.7)),
    Labelled("material-kit", f"{_KIT}christian.jpg", "christian", (3.9, 2.8, 6.9, 6.5)),
    Labelled("material-kit", f"{_KIT}kendall.jpg", "kendall", (3.1, 1.8, 7.7, 8.2)),
    Labelled("material-kit", f"{_KIT}marc.jpg", "marc", (3.1, 2.2, 7.0, 7.5)),
    Labelled(
        "material-dashboard",
        "package/src/assets/img/faces/marc.jpg",
        "jacobs",
        (3.2, 1.6, 6.1, 5.65),
    ),
    Labelled("gentelella", "package/dist/images/img.jpg", "img", (2.8, 1.7, 7.1, 7.3)),
    Labelled("gentelella", "package/dist/images/picture.jpg", "picture", (3.6, 1.9, 6.3, 6.1)),
    Labelled("admin-lte", f"{_LTE}user1-128x128.jpg", "user-1", (3.5, 2.1, 6.6, 7.1)),
    Labelled("admin-lte", f"{_LTE}user2-160x160.jpg", "user-2", (3.9, 2.0, 7.9, 7.0)),
    Labelled("admin-lte", f"{_LTE}user3-128x128.jpg", "user-3", (5.1, 0.7, 7.1, 3.4)),
    Labelled("admin-lte", f"{_LTE}user4-128x128.jpg", "user-4", (3.4, 1.9, 5.7, 4.9)),
    Labelled("admin-lte", f"{_LTE}user5-128x128.jpg", "user-5", (2.8, 1.0, 6.4, 6.3)),
    Labelled("admin-lte", f"{_LTE}user6-128x128.jpg", "user-6", (5.4, 0.8, 8.0, 4.0)),
    Labelled("admin-lte", f"{_LTE}user7-128x128.jpg", "user-7", (3.0, 2.0, 8.5, 8.9)),
    Labelled("admin-lte", f"{_LTE}user8-128x128.jpg", "user-8", (3.7, 1.9, 6.3, 5.1)),
    Labelled("skimage", "data/astronaut.png", "collins", (3.5, 0.9, 5.25, 3.45)),
    Labelled("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "hopper", (2.8, 2.2, 6.1, 5.5)),
    Labelled("soft-ui", f"{_SOFT}kal-visuals.jpg", "kal", (2.6, 1.3, 4.3, 3.6)),
    Labelled("face-api", f"{_DEMO}sample1.jpg", "group-1a", (2.15, 1.65, 3.15, 3.0)),
    Labelled("face-api", f"{_DEMO}sample1.jpg", "group-1b", (4.35, 2.2, 5.35, 3.5)),
    Labelled("face-api", f"{_DEMO}sample1.jpg", "group-1c", (7.6, 1.3, 8.45, 2.35)),
    Labelled("face-api", f"{_DEMO}sample2.jpg", "group-2a", (2.0, 0.55, 2.8, 2.2)),
    Labelled("face-api", f"{_DEMO}sample2.jpg", "group-2b", (4.65, 1.0, 5.7, 2.3)),
    Labelled("face-api", f"{_DEMO}sample2.jpg", "group-2c", (7.75, 0.75, 8.75, 2.05)),
    Labelled("face-api", f"{_DEMO}sample3.jpg", "group-3a", (3.3, 1.9, 4.25, 3.15)),
    Labelled("face-api", f"{_DEMO}sample3.jpg", "group-3b", (5.65, 1.15, 6.7, 2.65)),
    Labelled("face-api", f"{_DEMO}sample3.jpg", "group-3c", (7.85, 1.65, 8.75, 3.05)),
    Labelled("face-api", f"{_DEMO}sample4.jpg", "group-4a", (1.4, 0.95, 2.2, 2.3)),
    Labelled("face-api", f"{_DEMO}sample4.jpg", "group-4b", (3.4, 0.45, 4.3, 1.7)),
    Labelled("face-api", f"{_DEMO}sample4.jpg", "group-4c", (5.1, 1.0, 6.0, 2.2)),
    Labelled("face-api", f"{_DEMO}sample4.jpg", "group-4d", (6.7, 0.85, 7.5, 2.15)),
    Labelled("face-api", f"{_DEMO}sample5.jpg", "group-5a", (4.0, 0.75, 4.95, 2.0)),
    Labelled("face-api", f"{_DEMO}sample5.jpg", "group-5b", (5.8, 1.2, 6.65, 2.35)),
    Labelled("face-api", f"{_DEMO}sample5.jpg", "group-5c", (3.15, 2.05, 4.05, 3.5)),
    Labelled("face-api", f"{_DEMO}sample5.jpg", "group-5d", (7.45, 1.95, 8.4, 3.65)),
    Labelled("face-api", f"{_DEMO}sample5.jpg", "group-5e", (2.0, 4.5, 3.05, 6.15)),
    Labelled("face-api", f"{_DEMO}sample6.jpg", "group-6a", (1.45, 2.6, 2.35, 4.0)),
    Labelled("face-api", f"{_DEMO}sample6.jpg", "group-6b", (3.5, 1.75, 4.45, 3.25)),
    Labelled("face-api", f"{_DEMO}sample6.jpg", "group-6c", (6.1, 1.4, 7.15, 2.75)),
    Labelled("face-api", f"{_DEMO}sample6.jpg", "group-6d", (7.8, 1.35, 8.75, 2.9)),
)


def people() -> Iterator[str]:
    """The people of the portraits, each once, in order; those of the group pictures left out."""
    seen = dict.fromkeys(one.person for one in LABELLED if not one.person.startswith("group-"))
    yield from seen
