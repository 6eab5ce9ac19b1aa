import re
from base64 import b64decode
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pixelmine.core.errors import OutputError, UsageError
from pixelmine.core.gate import PassPolicy, clear
from pixelmine.core.reasons import Reason
from pixelmine.core.schema import RESULTS
from pixelmine.evaluate import (
    Gallery,
    Headline,
    History,
    Mistakes,
    Pile,
    Provenance,
    Report,
    Rung,
    evaluate,
    make_ladder,
    render,
    write_report,
)
from pixelmine.evaluate.cost import Cost
from pixelmine.evaluate.texts import LANGUAGES, text

EVIL = "<script>alert(1)</script>"
VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """Elements with their attributes, the text, and a check that tags are balanced."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def cleared(rows, schema=None):
    return clear(pa.RecordBatch.from_pylist(rows, schema=schema), PassPolicy())


def thumbnail(height, width):
    ramp = np.arange(height * width * 3) % 251
    return clear(ramp.astype(np.uint8).reshape(height, width, 3), PassPolicy())


def result(uri, answers, decided=True):
    top = [{"index": i, "label": a, "probability": p} for i, (a, p) in enumerate(answers)]
    row = dict.fromkeys(RESULTS.names)
    row |= {"row_id": uri, "uri": uri, "member": "", "frame": 0, "status": "ok", "top": top}
    return row | {"decision": [answers[0][0]] if decided else None}


def measured(labels, truth, answers):
    probabilities = np.full((len(truth), len(labels)), 0.1 / len(labels), np.float32)
    probabilities[np.arange(len(truth)), answers] += 0.9
    uris = [f"file:///private/{i}.png" for i in range(len(truth))]
    columns = {EVIL: [EVIL if i % 2 else "b" for i in range(len(truth))]}
    return evaluate(labels, np.array(truth), probabilities, uris, uris, columns=columns)


def rung(name, right, cost=None):
    ids = tuple(map(str, range(len(right))))
    right = np.array(right, bool)
    return Rung(name=name, row_ids=ids, right=right, cost=cost, train_seconds=3.5)


def cost(seconds):
    sizes = {"size_bytes": 900_000, "peak_bytes": 2 * 10**8, "base_bytes": 10**8}
    return Cost(seconds=seconds, runtime="openvino", precision="bf16", **sizes)


def full(language="en"):
    labels = ["cat", EVIL, "untested"]
    evaluation = measured(labels, [0, 0, 0, 1, 1] * 5, [0, 0, 1, 1, 1] * 5)
    pile = Pile(pictures=7, failed={Reason.TRUNCATED: 1, Reason.EMPTY: 1})
    gallery = Gallery(
        rows=cleared(
            [
                result("file:///private/my%20cat.jpg", [("cat", 0.8), (EVIL, 0.15)]),
                result("file:///private/odd.jpg", [("cat", 0.3)], decided=False),
            ],
            RESULTS,
        ),
        thumbnails=(thumbnail(90, 160), thumbnail(28, 20)),
    )
    wrong = {"uri": "file:///private/2.png", "truth": "cat", "answer": EVIL, "probability": 0.93}
    return Report(
        language=language,
        title=EVIL,
        headline=Headline(model=EVIL, pile=pile, accuracy=evaluation.accuracy),
        gallery=gallery,
        pile=pile,
        ladder=make_ladder(
            [
                rung(EVIL, [1, 1, 1, 1, 0], cost(seconds=0.0012)),
                rung("second", [1, 1, 1, 0, 0], cost(seconds=0.0003)),
                Rung(name="third", reason=EVIL),
            ]
        ),
        history=History(
            series={"loss": [2.0, 1.0], "val_loss": [2.1, 1.5], "val_accuracy": [0.5, 0.75]},
            best_epoch=2,
        ),
        evaluation=evaluation,
        pairs=(Mistakes(rows=cleared([wrong]), thumbnails=(thumbnail(8, 8),)),),
        mistakes=Mistakes(rows=cleared([wrong]), thumbnails=(thumbnail(8, 8),)),
        provenance=Provenance(
            date="2026-11-22", model_digest="ab" * 32, versions={"a": EVIL}, commands=(EVIL,)
        ),
    )


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request):
    return request.param


@pytest.fixture(scope="module")
def html(language):
    return render(full(language))


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_nothing_is_loaded_from_outside(html, page):
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attributes.get(name)
            assert value is None or re.match(r"data:|#", value), (tag, name, value)
    assert not re.search(r"url\(|@import|://", html)


def test_plots_load_nothing_either(page):
    plots = [i["src"] for i in page.all("img") if i["src"].startswith("data:image/svg")]
    assert len(plots) == 8  # two of the ladder, two curves, ROC, PR, reliability, coverage
    for plot in plots:
        svg = b64decode(plot.partition(",")[2]).decode()
        assert re.findall(r'(?:href|src)="([^"]*)"', svg) == re.findall(r'href="(#[^"]*)"', svg)
        assert "DTD" not in svg
        assert "var(--accent)" in svg


def test_the_page_may_run_nothing(html, page):
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "img-src data:" in policy
    assert page.all("script") == []
    assert not any(name.startswith("on") for _, a in page.elements for name in a)


def test_every_text_from_outside_is_escaped(html, page):
    assert "<script" not in html
    assert page.text.count(EVIL) >= 8


def test_every_picture_has_an_alt_text(page):
    alts = [picture["alt"] for picture in page.all("img")]
    assert len(alts) == 12
    assert all(len(alt) > 5 for alt in alts)
    assert any("my cat.jpg" in alt for alt in alts)


def test_folders_stay_out(html):
    assert "private" not in html


def test_the_language_is_said_and_used(language, page):
    assert page.all("html")[0]["lang"] == {"en": "en", "zh": "zh-Hans"}[language]
    keys = ("gallery", "pile", "ladder", "history", "confusion", "classes", "mistakes", "pairs")
    more = ("ranking", "by_coverage", "slices", "ladder_figures", "rung_enough")
    for key in (*keys, *more, "reliability", "provenance", "undecided", "made_by"):
        assert text(language, key) in page.text
    assert ("The picture ends" in page.text) == (language == "en")


def test_headings_and_links_fit(page):
    assert len(page.all("h1")) == 1
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {a["href"][1:] for a in page.all("a")} <= set(ids)
    assert {s["aria-labelledby"] for s in page.all("section") if "aria-labelledby" in s} <= set(ids)


def test_the_figures_are_there(language, page):
    assert "80.0%" in page.text
    low, high = ("60.9%", "91.1%")
    assert text(language, "interval_short", low=low, high=high) in page.text
    assert "untested" in page.text


def test_tiny_pictures_stay_exact_and_are_enlarged():
    page = Page(render(full()))
    photo, tiny, *_ = [i for i in page.all("img") if not i["src"].startswith("data:image/svg")]
    assert photo["src"].startswith("data:image/jpeg;base64,")
    assert (photo["width"], photo["height"]) == ("160", "90")
    assert tiny["src"].startswith("data:image/png;base64,")
    assert (tiny["width"], tiny["height"], tiny["class"]) == ("100", "140", "tiny")


def test_a_tiny_picture_comes_back_pixel_for_pixel(tmp_path):
    page = Page(render(Report(gallery=full().gallery)))
    path = tmp_path / "tiny.png"
    path.write_bytes(b64decode(page.all("img")[1]["src"].partition(",")[2]))
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), thumbnail(28, 20).item)


def test_an_empty_report_is_a_page():
    page = Page(render(Report()))
    assert page.all("section") == []
    assert page.all("nav") == []


def test_many_classes_give_pairs_and_a_shorter_table():
    labels = [f"class {i}" for i in range(60)]
    truth = list(range(50))
    page = Page(render(Report(evaluation=measured(labels, truth, [1, *truth[1:]]))))
    assert "class 0 class 1 1 100.0%" in page.text
    assert "The other 10 classes" in page.text
    assert "(10), whose recall is not known" in page.text
    assert "and" not in page.text.partition("whose recall")[2].partition(".")[0]


def test_a_model_that_abstains_shows_how_often():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]], np.float32)
    decided = np.array([True, True, False])
    one = evaluate(["a", "b"], np.array([0, 0, 0]), probabilities, [*"123"], [*"123"], decided)
    words = Page(render(Report(evaluation=one))).text
    assert "Share decided 66.7%" in words
    assert "Accuracy where decided 50.0%" in words


def test_nothing_confused_is_said():
    labels = [str(i) for i in range(31)]
    page = Page(render(Report(evaluation=measured(labels, [0, 1], [0, 1]))))
    assert "No picture was mistaken." in page.text


def test_the_same_report_is_the_same_file():
    assert render(full()) == render(full())


def test_a_policy_that_takes_the_uri_leaves_a_number():
    rows = cleared([{"truth": "b", "answer": "c", "probability": 0.5}])
    page = Page(render(Report(mistakes=Mistakes(rows=rows, thumbnails=(thumbnail(80, 80),)))))
    assert "picture 1" in page.text


def test_what_is_no_thumbnail_is_refused():
    grey = clear(np.zeros((5, 5), np.uint8), PassPolicy())
    rows = cleared([{"truth": "b", "answer": "c", "probability": 0.5}])
    with pytest.raises(ValueError, match=r"uint8 \(H, W, 3\)"):
        render(Report(mistakes=Mistakes(rows=rows, thumbnails=(grey,))))


def test_an_unknown_language_is_refused():
    with pytest.raises(UsageError, match="en, zh"):
        Report(language="fr")


def test_the_file_is_written_whole(tmp_path):
    path = tmp_path / "new folder" / "report.html"
    write_report(path, full("zh"))
    assert path.read_text("utf-8") == render(full("zh"))
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    with pytest.raises(OutputError, match="--report"):
        write_report(path / "below a file.html", Report())
