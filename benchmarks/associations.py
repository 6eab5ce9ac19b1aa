"""How often shuffled data gives a rule, and whether planted rules are found.

python benchmarks/associations.py [COLLECTION]

The pictures are those of the clothing set (or of a collection that is there already, which gets
the finding `quality`) with their labels, quality, sizes and table. Added are a camera, a weekday,
an hour and a site, drawn at random, with two rules planted: of one camera four fifths are dresses,
and on one weekday at one hour, and then only, most pictures are of one site. Then each attribute
is shuffled by itself, so that nothing has to do with anything, 100 times: at a level of .05 a rule
may come out of 5 of them, and of more than 9 in 3 of 100 runs.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import keep

from pixelmine.api.ingest import ingest
from pixelmine.api.mine.attributes import attributes
from pixelmine.api.mine.pile import read_pictures
from pixelmine.api.mine.quality import mine_quality
from pixelmine.input.labels import LabelOptions
from pixelmine.mine.associations import Associations, find_rules
from pixelmine.mine.items import Attribute, make_items
from pixelmine.store import Collection

SHUFFLES, ALLOWED = 100, 9


def known(path: Path) -> list[Attribute]:
    """What the collection knows of its pictures."""
    mine_quality(path)
    with Collection.open(path) as collection:
        return attributes(collection, read_pictures(collection))


def planted(attributes: list[Attribute]) -> list[Attribute]:
    """With a camera, a weekday, an hour and a site, and two rules among them and the labels."""
    rng = np.random.default_rng(1)
    count = len(attributes[0].values)
    labels = next(one for one in attributes if one.name == "label").values
    camera, weekday = rng.integers(0, 12, count), rng.integers(0, 7, count)
    hour, site = rng.integers(0, 8, count), rng.integers(0, 6, count)
    dresses = np.array(["Dress" in one for one in labels])
    camera = np.where(camera == 7, 11, camera)
    camera[dresses & (rng.random(count) < 0.5)] = 7
    others = np.flatnonzero(~dresses)
    camera[rng.choice(others, int((camera == 7).sum() / 4), replace=False)] = 7
    site = np.where((site == 5) & (rng.random(count) < 0.8), 4, site)
    site[(weekday == 5) & (hour == 3) & (rng.random(count) < 0.7)] = 5
    new = {"camera": camera, "weekday": weekday, "hour": hour, "site": site}
    return [
        *attributes,
        *(
            Attribute(name=name, kind="circumstance", values=[[str(v)] for v in values])
            for name, values in new.items()
        ),
    ]


def shuffled(attributes: list[Attribute], seed: int) -> list[Attribute]:
    """Each by itself. Of several values of a picture one is kept: these go together as they did."""
    rng = np.random.default_rng(seed)
    found = []
    for one in attributes:
        order = rng.permutation(len(one.values))
        values = [list(one.values[at])[:1] for at in order]
        found.append(Attribute(name=one.name, kind=one.kind, values=values))
    return found


def told(found: Associations) -> list[dict[str, Any]]:
    """The rules as text."""
    items = found.items.items
    return [
        {
            "if": sorted(str(items[at]) for at in rule.antecedent),
            "then": str(items[rule.consequent]),
            "pictures": rule.both,
            "confidence": round(rule.confidence, 3),
            "lift": round(rule.lift, 2),
            "corrected_p_value": rule.corrected,
            "shortcut": rule.shortcut,
        }
        for rule in found.rules
    ]


def main() -> None:
    """Measure and keep."""
    with tempfile.TemporaryDirectory() as scratch:
        if len(sys.argv) > 1:
            path = Path(sys.argv[1])
        else:
            folder = Path(os.environ["PIXELMINE_TEST_DATA"]) / "clothing"
            path = Path(scratch) / "clothing.pixels"
            table = LabelOptions(labels=str(folder / "images.csv"), name_column="image")
            ingest([folder], path, labels=table)
        given = known(path)
    all_of_it = planted(given)
    start = time.perf_counter()
    found = find_rules(make_items(all_of_it))
    seconds = time.perf_counter() - start
    rules = told(found)
    first = [r for r in rules if (r["if"], r["then"]) == (["camera = 7"], "label = Dress")]
    second = [r for r in rules if (r["if"], r["then"]) == (["hour = 3", "weekday = 5"], "site = 5")]
    runs = [find_rules(make_items(shuffled(all_of_it, seed))) for seed in range(SHUFFLES)]
    with_rules = sum(bool(run.rules) for run in runs)
    result = {
        "pictures": len(given[0].values),
        "items": len(found.items.items),
        "tested": found.tested,
        "frequent": found.frequent,
        "redundant": found.redundant,
        "seconds": round(seconds, 2),
        "rules": len(rules),
        "planted_found": {"camera -> label": bool(first), "hour, weekday -> site": bool(second)},
        "planted": [*first, *second],
        "shuffles": SHUFFLES,
        "shuffles_with_a_rule": with_rules,
        "allowed": ALLOWED,
        "frequent_in_a_shuffle": int(np.median([run.frequent for run in runs])),
        "first_rules": rules[:20],
    }
    keep(Path(__file__).stem, result)
    if with_rules > ALLOWED or not (first and second and first[0]["shortcut"]):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
