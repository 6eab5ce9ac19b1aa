"""All five stages together, from a file to its row."""

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pixelmine import pipeline
from pixelmine.core import Limits
from pixelmine.core.errors import ModelError
from pixelmine.core.schema import LISTING
from pixelmine.engine import Work
from pixelmine.input import list_folder
from pixelmine.input.http import url_row
from pixelmine.looking import Looks, Reading
from pixelmine.models import DEFAULT, Bundle, load_bundle
from pixelmine.models.golden import SHIPPED, golden_bytes
from pixelmine.output import recognised_schema
from pixelmine.pipeline import Inspect, Recognise, load_model
from pixelmine.preprocess import DecodeOptions


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(DEFAULT)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    for name in SHIPPED:
        (folder / name).write_bytes(golden_bytes(name))
    for name in ("china.jpg", "flower.jpg"):
        source = files("sklearn.datasets") / "images" / name
        (folder / name).write_bytes(source.read_bytes())
    (folder / "cut.jpg").write_bytes((folder / "china.jpg").read_bytes()[:9000])
    (folder / "empty.jpg").touch()
    (folder / "letter.jpg").write_text("Dear Sir or Madam")
    (folder / "copy of china.png").write_bytes((folder / "china.jpg").read_bytes())
    return folder


@pytest.fixture
def rows(mixed: Path) -> pa.RecordBatch:
    (batch,) = list_folder(mixed)
    return batch


@pytest.fixture(scope="module")
def work(bundle: Bundle) -> Iterator[Work]:
    stage = Recognise(bundle=bundle, runtime="onnxruntime", precision="f32", vectors=True)
    with closing(stage.open()) as opened:
        yield opened


@pytest.fixture
def picture_server() -> Iterator[str]:
    """A server on this machine, which is a private address."""
    folder = str(files("sklearn.datasets") / "images")
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _by_name(rows: pa.RecordBatch) -> dict[str, dict[str, object]]:
    return {row["uri"].rpartition("/")[2]: row for row in rows.to_pylist()}


def test_real_photographs_get_their_names_and_broken_files_their_reasons(
    bundle: Bundle, work: Work, rows: pa.RecordBatch
) -> None:
    found = work(rows)
    assert found.schema == recognised_schema(bundle.card, vectors=True)
    assert found["row_id"].to_pylist() == rows["row_id"].to_pylist()
    by_name = _by_name(found)
    expected = {
        "china.jpg": "palace",
        "copy%20of%20china.png": "palace",
        "flower.jpg": "daisy",
        "drawn.jpg": "traffic light",
        "drawn.png": "crossword puzzle",
    }
    for name, label in expected.items():
        assert by_name[name]["decision"] == [label]
        assert by_name[name]["status"] == "ok"
        assert by_name[name]["reason"] is None
        assert next(entry["label"] for entry in by_name[name]["top"]) == label
        assert len(by_name[name]["top"]) == 5
    reasons = {"cut.jpg": "truncated", "empty.jpg": "empty", "letter.jpg": "not_an_image"}
    for name, reason in reasons.items():
        assert by_name[name]["status"] == "failed"
        assert by_name[name]["reason"] == reason
        assert by_name[name]["top"] is None
        assert by_name[name]["logits"] is None
        assert by_name[name]["picture_id"] is not None
    assert len(by_name) == len(expected) + len(reasons)


def test_the_same_bytes_are_the_same_picture_with_the_same_vectors(
    bundle: Bundle, work: Work, rows: pa.RecordBatch
) -> None:
    found = _by_name(work(rows))
    one, other = found["china.jpg"], found["copy%20of%20china.png"]
    assert one["picture_id"] == other["picture_id"]
    assert one["row_id"] != other["row_id"]
    np.testing.assert_allclose(one["embedding"], other["embedding"], atol=1e-5)


def test_a_batch_is_its_rows_one_by_one(bundle: Bundle, work: Work, rows: pa.RecordBatch) -> None:
    whole = work(rows)
    for at in range(rows.num_rows):
        alone = work(rows.slice(at, 1))
        assert alone["decision"].to_pylist() == whole["decision"].slice(at, 1).to_pylist()
        if (logits := whole["logits"][at].as_py()) is not None:
            np.testing.assert_allclose(alone["logits"][0].as_py(), logits, atol=1e-4)


def test_no_rows_give_no_rows(bundle: Bundle, work: Work, rows: pa.RecordBatch) -> None:
    found = work(rows.slice(0, 0))
    assert found.num_rows == 0
    assert found.schema == recognised_schema(bundle.card, vectors=True)


def test_limits_reach_the_reader(bundle: Bundle, work: Work, rows: pa.RecordBatch) -> None:
    for limits, reason in (
        (Limits(max_bytes=20_000), "too_large_file"),
        (Limits(max_pixels=1000), "too_many_pixels"),
    ):
        with closing(Recognise(bundle=bundle, limits=limits).open()) as limited:
            found = _by_name(limited(rows))
        assert found["china.jpg"]["reason"] == reason


def test_inspect_tells_what_a_picture_is(rows: pa.RecordBatch) -> None:
    stage = Inspect(decode=DecodeOptions(rule="scaled-256"), features=("pdq", "measures"))
    with closing(stage.open()) as inspect:
        found = inspect(rows)
    assert found.schema == stage.schema
    by_name = _by_name(found)
    china = by_name["copy%20of%20china.png"]
    assert (china["format"], china["width"], china["height"]) == ("jpeg", 640, 427)
    assert (china["orientation"], china["status"]) == (1, "ok")
    assert by_name["cut.jpg"]["reason"] == "truncated"
    assert by_name["cut.jpg"]["content_id"] is not None
    assert by_name["empty.jpg"]["width"] is None
    assert by_name["empty.jpg"]["pdq"] is None
    assert len(china["pdq"]) == 32
    assert china["pdq"] == by_name["china.jpg"]["pdq"] != by_name["flower.jpg"]["pdq"]
    assert china["short_side"] == 427


def test_each_frame_that_is_wanted_is_a_row(bundle: Bundle, tmp_path: Path) -> None:
    pages = [Image.open(io.BytesIO(golden_bytes(name))).convert("RGB") for name in SHIPPED]
    pages[0].save(tmp_path / "two.tiff", save_all=True, append_images=pages[1:])
    (listing,) = list_folder(tmp_path)
    stage = Recognise(bundle=bundle, runtime="onnxruntime", frames="all")
    with closing(stage.open()) as work:
        found = work(listing).to_pylist()
    assert [row["frame"] for row in found] == list(range(len(SHIPPED)))
    assert found[0]["row_id"] == listing["row_id"][0].as_py()
    assert len({row["row_id"] for row in found}) == len({row["picture_id"] for row in found}) == 2
    only = listing.set_column(3, "frame", pa.array([1], pa.int32()))
    with closing(replace(stage, frames=None).open()) as work:
        (second,) = work(only).to_pylist()
    assert second["picture_id"] == found[1]["picture_id"]
    assert second["decision"] == found[1]["decision"]


def test_a_bad_decoder_costs_only_its_picture(
    rows: pa.RecordBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    looks = Looks("crashing:crasher", {}, Reading(limits=Limits(decode_cpu_s=0.3)), 64)
    with closing(looks):
        found = {look.row["uri"].rpartition("/")[2]: look for look in looks(rows.to_pylist())}
    assert found["flower.jpg"].frames[0][0]["reason"] == "decoder_crash"
    assert found["letter.jpg"].frames[0][0]["reason"] == "decoder_timeout"
    assert found["china.jpg"].frames[0][0]["status"] == "ok"
    assert len(found) == rows.num_rows


def test_the_same_bytes_are_decoded_once(
    rows: pa.RecordBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    looks = Looks("crashing:counter", {}, Reading(), 64)
    with closing(looks):
        found = {look.row["uri"].rpartition("/")[2]: look for look in looks(rows.to_pylist())}
    assert found["china.jpg"].frames == found["copy%20of%20china.png"].frames
    asked = {look.content_id: look.frames[0][0]["asked"] for look in found.values()}
    assert len(asked) == len(set(asked.values()))


def test_a_model_whose_golden_answers_are_others_is_not_used(bundle: Bundle) -> None:
    import json

    golden = json.loads(bundle.files["golden/golden.json"])
    logits = golden["pictures"][0]["logits"]
    best = int(np.argmax(logits))
    logits[best] -= 0.05  # a wrong twentieth of a logit is enough
    changed = Bundle(
        bundle.card, {**bundle.files, "golden/golden.json": json.dumps(golden).encode()}
    )
    with pytest.raises(ModelError, match="golden picture"):
        load_model(changed, "onnxruntime", "f32")
    load_model(bundle, "onnxruntime", "f32")


def test_preprocessing_that_is_not_known_is_refused(bundle: Bundle) -> None:
    steps = {**bundle.card.preprocessing, "steps": [{"step": "exec", "code": "1"}]}
    card = bundle.card.model_copy(update={"preprocessing": steps})
    with pytest.raises(ModelError, match="preprocessing is not known"):
        load_model(Bundle(card, bundle.files), "onnxruntime", "f32")


def test_the_page_stays_a_page() -> None:
    lines = Path(pipeline.__file__).read_text("utf-8").splitlines()
    assert len(lines) <= 150


def test_private_addresses_are_asked_only_where_that_is_allowed(picture_server: str) -> None:
    row = {**url_row(f"{picture_server}/flower.jpg"), "meta": None}
    listing = pa.RecordBatch.from_pylist([row], LISTING)
    for allowed, reason in ((False, "private_address"), (True, None)):
        stage = Inspect(decode=DecodeOptions(), allow_private=allowed)
        with closing(stage.open()) as inspect:
            assert inspect(listing)["reason"].to_pylist() == [reason]
