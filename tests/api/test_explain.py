"""Why a model answers what it answers."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

from pixelmine.api.explain import explain_picture
from pixelmine.api.ingest import ingest
from pixelmine.api.predict import predict
from pixelmine.classify import Asked, learn
from pixelmine.core import Limits, PassPolicy
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import content_id, picture_id
from pixelmine.models import Bundle
from pixelmine.models.card import Input
from pixelmine.models.golden import GoldenPicture, golden_bytes
from pixelmine.preprocess import DecodeOptions, Normalise, Preprocessing, Resize
from tests.classify.drawn import drawn
from tests.classify.test_activation import Loaded, network
from tests.models.test_bundle import card

STEPS = Preprocessing(
    decode=DecodeOptions(colour="rgb"), steps=(Resize(height=24, width=24), Normalise())
)


def picture(path: Path, red: int, at: int = 4) -> bytes:
    pixels = np.full((48, 48, 3), 20, np.uint8)
    pixels[at : at + 14, at : at + 14, 2 if red else 0] = 120 + red  # BGR
    cv2.imwrite(str(path), pixels)
    return path.read_bytes()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red or blue, trained on all pictures but one of the folder `known` beside it."""
    folder = tmp_path_factory.mktemp("explain")
    known = folder / "known"
    known.mkdir()
    data = [picture(known / f"{n}.png", 20 * n, 2 * n) for n in range(6)]
    seen = Bundle.seen([picture_id(content_id(one), 0) for one in data[:5]])
    onnx = network(named=False, fixed=24).SerializeToString()
    pixels = STEPS.prepare(golden_bytes("drawn.png"), Limits())
    found = Loaded(onnx).run(pixels[None])
    golden = GoldenPicture(
        "drawn.png", golden_bytes("drawn.png"), found.logits[0], found.embedding[0]
    )
    about = card(
        input=Input(dtype="float32", height=24, width=24, channels=3),
        embedding_dimensions=3,
        labels=["red", "blue"],
        preprocessing=STEPS.to_card(),
    )
    bundle = Bundle.make(about, {"model.onnx": onnx, "seen.bin": seen}, [golden])
    held = drawn(200, 1, classes=2)
    learned = learn(held.logits, held.embedding[:, :3], held.y, asked=Asked(ood=0.99))
    learned.given_to(bundle).save(folder / "colours")
    return folder / "colours"


def test_one_png_shows_where_and_what_it_was_learnt_from(model: Path, tmp_path: Path) -> None:
    picture(tmp_path / "asked.png", 80, 4)
    collection, out = tmp_path / "collection", tmp_path / "why.png"
    ingest([model.parent / "known"], into=collection)
    rows = predict(collection, model=model).rows.to_pylist()
    assert all(row["ood"] is not None and row["set"] for row in rows)
    found = explain_picture(model, tmp_path / "asked.png", collection=collection, out=out)
    assert found.label == found.answer["top"][0]["label"] == "red"
    assert np.unravel_index(found.heat.argmax(), found.heat.shape) < (12, 12)
    assert found.heat[2:9, 2:9].mean() > 0.8
    assert found.heat[12:, 12:].mean() < 0.1
    alike = [near.similarity for near in found.near]
    assert alike == sorted(alike, reverse=True)
    names = {near.uri.rsplit("/")[-1] for near in found.near}
    assert names == {"0.png", "1.png", "2.png", "3.png", "4.png"}, "5.png was not learnt from"
    assert found.near[-1].uri.endswith("0.png"), "the blue one is least alike"
    shown = cv2.imread(str(out))
    assert shown.shape[1] > 5 * shown.shape[0]
    assert found.to_dict()["explanation"] == str(out)
    alone = predict(tmp_path / "asked.png", model=model).rows.to_pylist()[0]
    for name in ("top", "decision", "set"):
        assert alone[name] == found.answer[name], "as predict answers"
    assert alone["ood"] == pytest.approx(found.answer["ood"])


def test_another_label_can_be_asked_for(model: Path, tmp_path: Path) -> None:
    pixels = np.full((48, 48, 3), 20, np.uint8)
    pixels[:14, :14, 2], pixels[30:, 30:, 0] = 250, 250
    cv2.imwrite(str(tmp_path / "both.png"), pixels)
    for label, corner in (("red", np.s_[:7, :7]), ("blue", np.s_[-7:, -7:])):
        found = explain_picture(model, tmp_path / "both.png", label=label)
        assert found.heat[corner].mean() > 0.8
        assert found.near == []


def test_what_cannot_be_explained_says_why(model: Path, tmp_path: Path) -> None:
    picture(tmp_path / "asked.png", 80)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(SourceError, match="cannot be explained"):
        explain_picture(model, tmp_path / "broken.png")
    (tmp_path / "there.png").touch()
    with pytest.raises(UsageError, match="is there already"):
        explain_picture(model, tmp_path / "asked.png", out=tmp_path / "there.png")
    with pytest.raises(UsageError, match="One picture is explained at a time"):
        explain_picture(model, model.parent / "known")
    with pytest.raises(UsageError, match=r"\.png"):
        explain_picture(model, tmp_path / "asked.png", out=tmp_path / "why.jpg")
    ingest([model.parent / "known"], into=tmp_path / "collection")
    with pytest.raises(UsageError, match="Predict it first"):
        explain_picture(model, tmp_path / "asked.png", collection=tmp_path / "collection")


def test_a_policy_takes_names_away(model: Path, tmp_path: Path) -> None:
    class Nameless(PassPolicy):
        def rows(self, rows: pa.RecordBatch) -> pa.RecordBatch:
            known = [n for n in ("uri", "labels") if n in rows.schema.names]
            return rows.drop_columns(known).append_column("x", pa.array([1] * rows.num_rows))

    picture(tmp_path / "asked.png", 80, 4)
    ingest([model.parent / "known"], into=tmp_path / "collection")
    predict(tmp_path / "collection", model=model)
    found = explain_picture(
        model, tmp_path / "asked.png", collection=tmp_path / "collection", policy=Nameless()
    )
    assert found.uri == ""
    assert {(near.uri, *near.labels) for near in found.near} == {("",)}
