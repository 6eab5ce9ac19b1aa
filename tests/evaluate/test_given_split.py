import pyarrow as pa
import pytest

from pixelmine.core.errors import UsageError
from pixelmine.core.schema import SPLITS
from pixelmine.evaluate import split_from_csv

ROWS = pa.table(
    {
        "row_id": ["r1", "r2", "r3", "r4", "r5"],
        "uri": [
            "file:///d/cat%201.jpg",
            "file:///d/dog.jpg",
            "file:///e/dog.jpg",
            "file:///d/film.gif",
            "file:///d/film.gif",
        ],
        "member": ["", "", "", "", ""],
    }
)


@pytest.fixture
def read(tmp_path):
    def from_text(text, encoding="utf-8"):
        path = tmp_path / "split.csv"
        path.write_bytes(text.encode(encoding))
        return split_from_csv(path, ROWS)

    return from_text


def parts(given):
    return dict(zip(given.rows["row_id"].to_pylist(), given.rows["part"].to_pylist(), strict=True))


def test_by_row_id(read):
    given = read("row_id,part,more\nr1,train,x\nr2,test,y\nr9,test,z\n")
    assert parts(given) == {"r1": "train", "r2": "test"}
    assert given.rows.schema == SPLITS
    assert given.unmatched == ("r9",)


def test_by_uri(read):
    given = read("part,uri\ntrain,file:///d/dog.jpg\ntest,file:///e/dog.jpg\n")
    assert parts(given) == {"r2": "train", "r3": "test"}


def test_by_name_or_stem_and_the_frames_of_a_file_go_together(read):
    given = read("name,part\ncat 1,fold-0\nfilm.gif,fold-1\n", "utf-8-sig")
    assert parts(given) == {"r1": "fold-0", "r4": "fold-1", "r5": "fold-1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,part\ndog.jpg,train\n", "2 pictures are named dog.jpg"),
        ("name,part\ncat 1.jpg,train\ncat 1,test\n", "in train and in test"),
        ("row_id,part\nr1,training\n", "'training'"),
        ("row_id,part\nr1,\n", "''"),
        ("row_id,part\nr1,fold-0\nr2,train\n", "mixes folds"),
        ("row_id,part\nr8,train\n", "names no picture"),
        ("file,part\nr1,train\n", "header is file, part"),
        ("", "header is empty"),
    ],
)
def test_what_cannot_be_a_split_is_refused(read, text, said):
    with pytest.raises(UsageError, match=said):
        read(text)


def test_a_file_that_cannot_be_read_is_refused(read, tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read("name,part\ncafé,train\n", "latin-1")
    with pytest.raises(UsageError, match="cannot be read"):
        split_from_csv(tmp_path / "nothing.csv", ROWS)


def test_the_id_depends_on_what_is_in_it(read):
    ids = [
        read(f"row_id,part\nr1,train\nr2,{part}\n").rows["split_id"][0].as_py()
        for part in ("val", "test", "test")
    ]
    assert len(set(ids)) == 2
