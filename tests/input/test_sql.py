import os
import pickle
import sqlite3
import uuid
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from pixelmine.core import Limits
from pixelmine.core.errors import SourceError, UsageError
from pixelmine.input.labels import LabelOptions
from pixelmine.input.open import open_source
from pixelmine.input.read import must_keep, read
from pixelmine.input.source import SourceOptions
from pixelmine.input.sql import SqlSource

SERVERS = {
    "postgresql": ("postgresql://root@127.0.0.1:5432/test", "bytea"),
    "mysql": ("mysql://root@127.0.0.1:3306/test", "longblob"),
    "mariadb": ("mariadb://root@127.0.0.1/test", "longblob"),
}
DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}


def rows(text, query, **more):
    labels = LabelOptions(**more.pop("labels", {}))
    source = open_source(text, SourceOptions(query=query, labels=labels, **more))
    return [row for batch in source.list() for row in batch.to_pylist()]


@pytest.fixture(params=["sqlite", *SERVERS])
def base(request, tmp_path):
    """An address, and a table with a key, a picture, a label and a number."""
    table = f"pictures_{uuid.uuid4().hex}"
    if request.param == "sqlite":
        address = plain = f"sqlite:///{tmp_path / 'a b.db'}"
        kind = "blob"
    else:
        address, kind = SERVERS[request.param]
        plain = address.replace(request.param, DRIVERS[request.param], 1)
    engine = sa.create_engine(plain, connect_args={} if kind == "blob" else {"connect_timeout": 3})
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f"create table {table} "
                f"(id integer primary key, picture {kind}, label varchar(9), n integer)"
            )
            insert = sa.text(f"insert into {table} values (:id, :picture, :label, :n)")
            for n in range(300):
                picture = None if n == 5 else b"\x00%d\xff" % n
                connection.execute(
                    insert, {"id": n + 1, "picture": picture, "label": "cat", "n": n}
                )
    except sa.exc.OperationalError as error:
        engine.dispose()
        pytest.skip(f"no {request.param} here: {error.orig}")
    yield address, table
    with engine.begin() as connection:
        connection.exec_driver_sql(f"drop table {table}")
    engine.dispose()


def test_rows_of_a_query(base):
    address, table = base
    found = rows(address, f"select * from {table} order by id;", labels={"group_by": "n"})
    assert len(found) == 300
    assert [row["member"] for row in found] == [str(n + 1) for n in range(300)]
    assert {row["uri"].rpartition("/")[2] for row in found} == {table}
    assert found[7]["data"] == read(found[7], Limits()) == b"\x007\xff"
    assert must_keep(found[7])
    assert (found[7]["label"], found[7]["group"], dict(found[7]["meta"])) == (
        "cat",
        "7",
        {"id": "8"},
    )
    assert [n for n, row in enumerate(found) if row["reason"]] == [5]
    assert found[5]["reason"] == "empty"
    assert "root@" not in found[7]["uri"]


def test_signs_in_a_query_are_left_alone(base):
    address, table = base
    query = f"select picture from {table} where label like 'c%' and label <> ':x;' and n < 3"
    found = rows(address, query)
    assert [row["member"] for row in found] == ["0", "1", "2"]
    assert "/query-" in found[0]["uri"]
    other = rows(address, f"select picture from {table} where n = 1")
    assert other[0]["row_id"] != found[0]["row_id"]


def test_a_query_cannot_write(base):
    address, table = base
    for query in (
        f"delete from {table}",
        f"select 1; delete from {table}",
        "",
        None,
        "-- select 1",
    ):
        with pytest.raises(UsageError):
            rows(address, query)
    asked = {
        "postgresql": "select current_setting('transaction_read_only') as picture",
        "sqlite": None,
    }.get(address.partition(":")[0], "select concat('o', 'n', @@tx_read_only) as picture")
    if asked:
        assert rows(address, asked)[0]["uri"].endswith(("/on", "/onON", "/on1"))
    if address.startswith("postgresql"):
        query = f"with x as (delete from {table} returning picture) select * from x"
        with pytest.raises(SourceError, match="must not contain data-modifying"):
            rows(address, query)
    assert len(rows(address, f"select * from {table}")) == 300


def test_what_the_database_says_is_an_error(base):
    address, table = base
    with pytest.raises(SourceError, match="failed"):
        rows(address, f"select nothing from {table}")
    with pytest.raises(UsageError, match="--picture-column"):
        rows(address, f"select id, n from {table}")


def test_paths_and_addresses(base, tmp_path):
    address, table = base
    (tmp_path / "a.jpg").write_bytes(b"1")
    query = f"select '{tmp_path}/a.jpg' as file, n from {table} where n < 2"
    found = rows(address, query)
    assert [row["member"] for row in found] == ["", "#2"]
    assert read(found[0], Limits()) == read(found[1], Limits()) == b"1"


@pytest.mark.parametrize("scheme", SERVERS)
def test_a_password_is_nowhere(scheme):
    secret, query = "s3cr:t@/", SourceOptions(query="select 1 as picture")
    text = f"{scheme}://someone:s3cr%3At%40%2F@127.0.0.1:1/base?sslmode=disable"
    source = open_source(text.replace("?sslmode=disable", ""), query)
    assert source.uri == f"{scheme}://127.0.0.1:1/base"
    with pytest.raises(SourceError) as caught:
        list(source.list())
    for words in (str(caught.value), repr(source), source.uri, repr(caught.value.__cause__)):
        assert secret not in words
        assert "s3cr" not in words
    assert pickle.loads(pickle.dumps(source)) == source


def test_a_password_in_the_words_of_a_driver_is_taken_out():
    source = SqlSource("postgresql://u:s3cr%3At@h/b", SourceOptions(query="select 1"))
    said = source._said(ValueError("no: s3cr:t,\n s3cr%3At"))
    assert said == "no: ***, ***"


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("postgresql://u:p@HOST:5432/b?a=b", "postgresql://host/b"),
        ("postgresql+psycopg://u@[::1]:77/b", "postgresql://[::1]:77/b"),
        ("mysql://h/b", "mysql://h/b"),
        ("sqlite:////x/a b.db", "sqlite:////x/a%20b.db"),
    ],
)
def test_names_of_databases(text, uri):
    assert SqlSource(text, SourceOptions(query="select 1")).uri == uri


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///:memory:", "postgresql://h:x3cret:y/z"])
def test_addresses_that_make_no_sense(text):
    with pytest.raises(UsageError) as caught:
        SqlSource(text, SourceOptions(query="select 1"))
    assert "x3cret" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path):
    with pytest.raises(SourceError, match="no file"):
        rows(f"sqlite:///{tmp_path / 'a.db'}", "select 1")
    assert not (tmp_path / "a.db").exists()
    (tmp_path / "a.db").write_bytes(os.urandom(5000))
    with pytest.raises(SourceError, match="not a database"):
        rows(f"sqlite:///{tmp_path / 'a.db'}", "select 1 from x")


def test_a_file_is_not_written(tmp_path):
    path = tmp_path / "a#b%41.db"
    with sqlite3.connect(path) as base:
        base.execute("create table t (id, picture)")
        base.execute("insert into t values (1, x'00'), (1, x'01'), (null, x'02')")
    base.close()
    before = path.read_bytes(), sorted(tmp_path.iterdir())
    found = rows(f"sqlite:///{quote(str(path))}", "select * from t")
    assert (path.read_bytes(), sorted(tmp_path.iterdir())) == before
    assert [row["member"] for row in found] == ["1", "1#2", "2"]


def test_a_large_result_is_streamed(tmp_path):
    import tracemalloc

    path = tmp_path / "a.db"
    with sqlite3.connect(path) as base:
        base.execute("create table t (id, picture)")
    base.close()
    query = (
        "with recursive n(id) as (select 1 union all select id + 1 from n where id < 200) "
        "select id, zeroblob(1000000) as picture from n"
    )
    source = SqlSource(f"sqlite:///{path}", SourceOptions(query=query))
    tracemalloc.start()
    assert sum(row["size"] for row in source.rows()) == 200_000_000
    assert tracemalloc.get_traced_memory()[1] < 150_000_000
    tracemalloc.stop()
