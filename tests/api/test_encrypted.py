"""An encrypted collection: nothing of its pictures lies there in plain, and it answers the same."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pixelmine.api.erase import erase
from pixelmine.api.erase_find import find_to_erase
from pixelmine.api.ingest import ingest
from pixelmine.api.rotate import rotate
from pixelmine.api.search import search
from pixelmine.core.errors import CollectionError, TamperedError, UsageError, WrongKeyError
from pixelmine.core.ids import content_id
from pixelmine.evaluate.near import read_hashes
from pixelmine.index.vectors import IndexOptions
from pixelmine.input import SourceOptions
from pixelmine.store import ByteStore, Collection
from pixelmine.store.keys import make_key

pytestmark = pytest.mark.xdist_group("encrypted")
pytest.importorskip("sqlalchemy")

FILES = 12


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encrypted")


@pytest.fixture(scope="module", autouse=True)
def key(place: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PIXELMINE_KEY", raising=False)
        make_key(place / "one.key")
        make_key(place / "two.key")
        patch.setenv("PIXELMINE_KEY_FILE", str(place / "one.key"))
        yield


@pytest.fixture(scope="module")
def pictures(test_data: Path) -> list[bytes]:
    files = sorted((test_data / "clothing" / "images").rglob("*.jpg"))[:FILES]
    return [path.read_bytes() for path in files]


@pytest.fixture(scope="module")
def model(place: Path, linear_bundle) -> str:
    linear_bundle(place / "m.bundle", np.random.default_rng(0).normal(size=(64, 3)).astype("f4"))
    return str(place / "m.bundle")


@pytest.fixture(scope="module")
def both(place: Path, pictures: list[bytes], model: str) -> tuple[Path, Path]:
    """The same pictures of a database, which are copied, in a plain and an encrypted collection."""
    with sqlite3.connect(place / "pictures.db") as database:
        database.execute("CREATE TABLE pictures (id INTEGER PRIMARY KEY, image BLOB)")
        database.executemany("INSERT INTO pictures (image) VALUES (?)", [(p,) for p in pictures])
    database.close()
    options = SourceOptions(query="SELECT id, image FROM pictures")
    for name in ("plain", "sealed"):
        found = ingest(
            [f"sqlite:///{place / 'pictures.db'}"],
            place / name,
            options=options,
            encrypt=name == "sealed",
        )
        assert found.counts.ok == FILES
        row = Collection.open(place / name).images.read(["row_id"])["row_id"][0].as_py()
        search(place / name, row=row, model=model)
    return place / "plain", place / "sealed"


def values(collection: Path) -> dict[str, pa.Table]:
    """Of every sealed table, by its name."""
    found = {}
    with Collection.open(collection) as opened:
        for kind in ("features", "predictions"):
            for name in opened.producers(kind):
                (table,) = (t for t in opened.tables() if t.path.stem == name)
                table.schema = table.stored_schema()
                found[f"{kind}/{name}"] = table.read().sort_by("picture_id")
    return found


def planted(pictures: list[bytes], tables: dict[str, pa.Table]) -> list[bytes]:
    """What must not be found: stretches of files, of vectors and of hashes."""
    found = [data[start : start + 32] for data in pictures for start in (2000, len(data) // 2)]
    for table in tables.values():
        for name in ("values", "logits"):
            if name in table.column_names:
                for vector in table[name].to_pylist():
                    found.append(np.array(vector, np.float32).tobytes()[:12])
        if "pdq" in table.column_names:
            found += table["pdq"].to_pylist()
    return found


def hits(collection: Path, wanted: list[bytes]) -> int:
    files = [path.read_bytes() for path in collection.rglob("*") if path.is_file()]
    return sum(any(one in data for data in files) for one in wanted)


def test_no_byte_of_a_picture_and_no_vector_is_found_in_any_file(both, pictures) -> None:
    plain, sealed = both
    wanted = planted(pictures, values(plain))
    assert len(wanted) >= 5 * FILES
    assert hits(plain, wanted) == len(wanted), "the search itself finds what is there"
    assert hits(sealed, wanted) == 0


def test_it_gives_back_the_same_values(both) -> None:
    plain, sealed = both
    assert values(plain).keys() == values(sealed).keys()
    for name, table in values(plain).items():
        assert values(sealed)[name].equals(table), name


def test_copies_come_back_and_their_names_tell_nothing(both, pictures) -> None:
    _, sealed = both
    with Collection.open(sealed) as collection:
        contents = [content_id(data) for data in pictures]
        assert [collection.bytes.get(one) for one in contents] == pictures
        found = {path.name for path in collection.bytes.paths()}
    assert len(found) == FILES
    assert not found & set(contents)


def test_a_search_gives_the_same_neighbours(both, model: str) -> None:
    plain, sealed = both
    with Collection.open(plain) as collection:
        rows = collection.images.read(["row_id"])["row_id"].to_pylist()
    few = IndexOptions(exact_below=1_000)
    for row in rows[:4]:
        for where in (None, "length < 10000000 OR length IS NULL"):
            asked = {"row": row, "model": model, "k": 5, "where": where, "index": few}
            first, second = search(plain, **asked), search(sealed, **asked)
            assert first.rows.drop(["similarity"]) == second.rows.drop(["similarity"])
            np.testing.assert_allclose(
                first.rows["similarity"], second.rows["similarity"], atol=1e-5
            )
            assert second.exact
            assert second.index is None
    assert not list(sealed.rglob("*.index.json"))


def test_copies_are_found_as_in_the_plain_one(both) -> None:
    plain, sealed = (Collection.open(path) for path in both)
    names = [one for table in values(both[0]).values() for one in table["picture_id"].to_pylist()]
    first, second = read_hashes(plain, names), read_hashes(sealed, names)
    assert first is not None
    assert second is not None
    assert first.pictures == second.pictures
    assert len(first.pictures) > 0
    np.testing.assert_array_equal(first.hashes, second.hashes)


def test_a_second_ingest_finds_all_known(both, place: Path) -> None:
    options = SourceOptions(query="SELECT id, image FROM pictures")
    again = ingest([f"sqlite:///{place / 'pictures.db'}"], both[1], options=options)
    assert (again.listed, again.counts.rows) == (FILES, 0)


def test_without_its_key_it_says_which_is_wanted(both, place: Path, monkeypatch) -> None:
    _, sealed = both
    wanted = Collection.open(sealed).settings["encrypted"]["key_id"]
    monkeypatch.setenv("PIXELMINE_KEY_FILE", str(place / "two.key"))
    with pytest.raises(WrongKeyError, match=f"{wanted}.*PIXELMINE_KEY_FILE"):
        Collection.open(sealed)
    monkeypatch.delenv("PIXELMINE_KEY_FILE")
    with pytest.raises(WrongKeyError, match=f"{wanted}.*no master key here"):
        Collection.open(sealed)
    with pytest.raises(WrongKeyError, match="no master key here"):
        ByteStore(sealed / "bytes")
    with pytest.raises(WrongKeyError, match="to be encrypted"):
        Collection.create(place / "new", encrypt=True)
    assert not (place / "new").exists()
    Collection.open(both[0])


def test_a_plain_one_is_not_taken_for_an_encrypted_one(both) -> None:
    with pytest.raises(CollectionError, match="not encrypted"):
        Collection.open_or_create(both[0], encrypt=True)
    with pytest.raises(UsageError, match="not encrypted"):
        rotate(both[0])


def test_rows_that_were_exchanged_are_found(both, tmp_path: Path) -> None:
    import lance

    shutil.copytree(both[1], tmp_path / "c")
    with Collection.open(tmp_path / "c") as collection:
        table = next(t for t in collection.tables() if t.seal is not None)
        stored = lance.dataset(str(table.path)).to_table()
        other = stored.set_column(
            1,
            stored.schema.field(1),
            pa.concat_arrays(
                [stored["sealed"].combine_chunks()[1:], stored["sealed"].combine_chunks()[:1]]
            ),
        )
        lance.write_dataset(other, str(table.path), mode="overwrite")
        table.schema = table.stored_schema()
        with pytest.raises(TamperedError, match="changed since it was sealed"):
            table.read()


def test_a_copy_that_was_changed_or_exchanged_is_a_row_with_a_reason(
    both, pictures, tmp_path: Path
) -> None:
    from pixelmine.core import Limits, Reason
    from pixelmine.input.read import read

    shutil.copytree(both[1], tmp_path / "c")
    kept = ByteStore(tmp_path / "c" / "bytes")
    first, second = (content_id(data) for data in pictures[:2])
    row = {"reason": None, "content_id": first, "uri": "sqlite:///x"}
    assert read(row, Limits(), kept) == pictures[0]
    kept.path(first).write_bytes(kept.path(second).read_bytes())
    assert read(row, Limits(), kept) is Reason.CHANGED


def test_a_new_master_key_opens_all_and_the_old_one_nothing(
    both, pictures, place: Path, tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "c"
    shutil.copytree(both[1], path)
    before = values(path)
    keys = f"{place / 'two.key'}:{place / 'one.key'}"
    monkeypatch.setenv("PIXELMINE_KEY_FILE", keys)
    done = rotate(path)
    assert (done.changed, done.already, done.left) == (FILES, 0, {})
    assert done.before != done.key_id
    assert rotate(path).already == FILES
    monkeypatch.setenv("PIXELMINE_KEY_FILE", str(place / "one.key"))
    with pytest.raises(WrongKeyError):
        Collection.open(path)
    monkeypatch.setenv("PIXELMINE_KEY_FILE", str(place / "two.key"))
    assert values(path) == before
    with Collection.open(path) as collection:
        assert [collection.bytes.get(content_id(data)) for data in pictures] == pictures


def test_a_damaged_copy_does_not_stop_a_new_master_key(
    both, place: Path, tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "c"
    shutil.copytree(both[1], path)
    monkeypatch.setenv("PIXELMINE_KEY_FILE", f"{place / 'two.key'}:{place / 'one.key'}")
    victim = sorted(Collection.open(path).bytes.paths())[3]
    victim.write_bytes(victim.read_bytes()[:60])
    done = rotate(path)
    assert done.changed == FILES - 1
    assert list(done.left) == [victim.relative_to(path).as_posix()]


def test_erasing_reaches_the_sealed_copy_and_rows(both, tmp_path: Path) -> None:
    path = tmp_path / "c"
    shutil.copytree(both[1], path)
    with Collection.open(path) as collection:
        row = collection.images.read(["row_id", "content_id", "picture_id"]).to_pylist()[0]
        copy = collection.bytes.path(row["content_id"])
    assert copy.exists()
    erase(find_to_erase(path, ids=[row["row_id"]]))
    assert not copy.exists()
    for table in values(path).values():
        assert row["picture_id"] not in table["picture_id"].to_pylist()
        assert table.num_rows == FILES - 1
