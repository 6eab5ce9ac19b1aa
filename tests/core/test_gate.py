import copy
import inspect
import pickle
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from pixelmine.core import Cleared, PassPolicy, Policy, clear

ROWS = pa.RecordBatch.from_pydict({"uri": ["file:///secret.jpg"]})
ITEMS = {"rows": ROWS, "picture": b"\xff\xd8", "thumbnail": np.zeros((2, 2, 3), np.uint8)}


class Loud:
    """A policy that marks what went through it."""

    def __init__(self):
        self.reached = []

    def rows(self, rows):
        self.reached.append("rows")
        return rows.slice(0, 0)

    def picture(self, data):
        self.reached.append("picture")
        return b"masked"

    def thumbnail(self, pixels):
        self.reached.append("thumbnail")
        return pixels + 1


def test_every_method_of_the_policy_is_reached():
    policy = Loud()
    for item in ITEMS.values():
        clear(item, policy)
    methods = [name for name, _ in inspect.getmembers(Policy, inspect.isfunction) if name[0] != "_"]
    assert sorted(policy.reached) == sorted(methods) == sorted(ITEMS)


def test_what_leaves_is_what_the_policy_gave():
    policy = Loud()
    assert clear(ROWS, policy).item.num_rows == 0
    assert clear(b"\xff\xd8", policy).item == b"masked"
    assert clear(ITEMS["thumbnail"], policy).item.all()


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_the_default_passes_what_our_schemas_hold(item):
    assert clear(item, PassPolicy()).item is item


@pytest.mark.parametrize(
    "item",
    [
        None,
        "text",
        {"uri": "x"},
        [ROWS],
        bytearray(b"x"),
        memoryview(b"x"),
        pa.table(ROWS.to_pydict()),
    ],
    ids=lambda item: type(item).__name__,
)
def test_an_unknown_kind_is_refused(item):
    with pytest.raises(TypeError, match="no policy has a method"):
        clear(item, PassPolicy())


def test_a_policy_that_fails_lets_nothing_through():
    class Broken(Loud):
        def picture(self, data):
            raise ValueError("the mask is broken")

    with pytest.raises(ValueError, match="the mask is broken"):
        clear(b"x", Broken())


def test_nobody_makes_cleared_by_hand():
    with pytest.raises(TypeError, match="never by hand"):
        Cleared(ROWS)
    with pytest.raises(TypeError, match="never by hand"):
        Cleared(ROWS, object())


def test_the_item_of_a_cleared_cannot_be_exchanged():
    cleared = clear(b"masked", PassPolicy())
    with pytest.raises(TypeError, match="never by hand"):
        replace(cleared, item=b"secret")
    with pytest.raises(AttributeError):
        cleared.item = b"secret"
    with pytest.raises(TypeError, match="never by hand"):
        Cleared(b"secret", cleared.key)


def test_a_cleared_item_can_be_sent_to_another_process():
    cleared = clear(b"masked", PassPolicy())
    assert pickle.loads(pickle.dumps(cleared)) == copy.copy(cleared) == cleared
