from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from pixelmine.core import Reason
from pixelmine.core.schema import RESULTS
from pixelmine.output import recognised_schema, result_rows
from pixelmine.runtime import Outputs

CARD = SimpleNamespace(labels=["a", "b", "c"], embedding_dimensions=2, name="net", digest="d" * 64)
SCHEMA = recognised_schema(CARD, vectors=True)


def joined(pictures, answers, vectors, schema=SCHEMA):
    return result_rows(frames(pictures), answers, vectors, CARD, schema)


def frames(pictures):
    """Rows as they are looked at; `pictures`: (picture_id, reason) of each."""
    return [
        {
            "row_id": f"r{n}",
            "uri": f"file:///{n}",
            "member": f"m{n}",
            "frame": n,
            "size": n or None,
            "mtime_ns": n or None,
            "label": "not theirs",
            "group": "secret",
            "status": "failed" if reason else "ok",
            "reason": reason,
            **({"picture_id": picture} if picture else {}),
        }
        for n, (picture, reason) in enumerate(pictures)
    ]


def answer(index):
    top = [{"index": index, "label": "abc"[index], "probability": 0.5}]
    return {"top": top, "decision": ["abc"[index]] if index else None}


def outputs(count):
    logits = np.arange(3 * count, dtype=np.float32).reshape(count, 3)
    return Outputs(logits=logits, embedding=logits[:, :2] / 8)


def test_good_and_bad_rows_get_their_own_answers():
    pictures = [
        *((None, Reason.NOT_FOUND), ("p1", None), ("p2", Reason.TRUNCATED)),
        *(("p3", None), ("p4", None), (None, Reason.DENIED)),
    ]
    answers = [answer(2), answer(0), answer(1)]
    rows = joined(pictures, answers, outputs(3))
    assert rows.schema == SCHEMA
    rows = rows.to_pylist()
    good = {1: 0, 3: 1, 4: 2}
    for number, (row, (picture, reason)) in enumerate(zip(rows, pictures, strict=True)):
        assert (row["row_id"], row["uri"]) == (f"r{number}", f"file:///{number}")
        assert (row["member"], row["frame"]) == (f"m{number}", number)
        assert row["size"] == row["mtime_ns"] == (number or None)
        assert (row["picture_id"], row["reason"]) == (picture, reason)
        assert (row["model"], row["model_digest"]) == ("net", "d" * 64)
        assert row["status"] == ("ok" if number in good else "failed")
        if number in good:
            at = good[number]
            assert {"top": row["top"], "decision": row["decision"]} == answers[at]
            assert row["logits"] == outputs(3).logits[at].tolist()
            assert row["embedding"] == outputs(3).embedding[at].tolist()
        else:
            empty = ("top", "decision", "logits", "embedding", "set", "ood", "found")
            assert [row[name] for name in empty] == [None] * 7


def test_sets_and_oddness_come_along_where_a_model_gives_them():
    full = {**answer(1), "set": ["b", "a"], "ood": 0.25}
    rows = joined([("p", None), (None, Reason.EMPTY), ("q", None)], [full, answer(0)], outputs(2))
    assert rows["set"].to_pylist() == [["b", "a"], None, None]
    assert rows["ood"].to_pylist() == [0.25, None, None]


def test_vectors_only_where_they_are_wanted():
    schema = recognised_schema(CARD, vectors=False)
    assert schema.names == [*RESULTS.names, "size", "mtime_ns"]
    rows = joined([("p", None)], [answer(1)], outputs(1), schema)
    assert rows.schema == schema
    assert rows["decision"].to_pylist() == [["b"]]


def test_all_bad():
    pictures = [(None, Reason.EMPTY)] * 4
    rows = joined(pictures, [], None)
    assert rows["status"].to_pylist() == ["failed"] * 4
    assert rows["logits"].null_count == rows["top"].null_count == 4


def test_no_rows():
    assert joined([], [], None).num_rows == 0


def test_all_good_with_vectors_that_are_views():
    vectors = outputs(6)
    strided = Outputs(logits=vectors.logits[::2], embedding=vectors.embedding[::2])
    rows = joined([("p", None)] * 3, [answer(0)] * 3, strided)
    assert rows["logits"].to_pylist() == vectors.logits[::2].tolist()


def test_an_answer_too_few_is_noticed():
    with pytest.raises((IndexError, pa.ArrowIndexError)):
        joined([("p", None)] * 2, [answer(0)], outputs(2))


def test_results_are_a_part_of_what_is_recognised():
    names = SCHEMA.names
    assert names[: len(RESULTS)] == RESULTS.names
    assert names[len(RESULTS) :] == ["size", "mtime_ns", "logits", "embedding"]
