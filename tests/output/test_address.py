import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmine.core.errors import OutputError, UsageError
from pixelmine.output import SINKS, canonical_out, open_sink
from pixelmine.output.address import Address, optional

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("out", "canonical"),
    [
        ("postgresql://u:s3cr3t@Host/db?table=t", "postgresql://host:5432/db?table=t"),
        ("mysql://u:s3cr3t@h:99/db", "mysql://h:99/db"),
        ("mariadb://h/db", "mariadb://h:3306/db"),
        ("sqlite:////a/../b.db?table=x", "sqlite:////b.db?table=x"),
        ("nats://u:s3cr3t@h/a.b", "nats://h:4222/a.b"),
        ("redis://:s3cr3t@h/2/s", "redis://h:6379/2/s"),
        ("rediss://h/s", "rediss://h:6379/s"),
        ("amqp://u:s3cr3t@h/v?queue=q", "amqp://h:5672/v?queue=q"),
        ("amqps://h/?exchange=e&routing_key=k", "amqps://h:5671/?exchange=e&routing_key=k"),
        ("https://u:s3cr3t@h/x?token=s3cr3t#s3cr3t", "https://h:443/x"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("HTTPS://h", "https://h:443/"),
    ],
)
def test_a_run_is_named_without_secrets(out, canonical, tmp_path):
    assert canonical_out(out) == canonical
    sink = open_sink(out, tmp_path)
    assert SECRET not in repr(sink.address)
    assert SECRET not in sink.address.shown


def test_a_path_is_named_by_its_uri(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert canonical_out("a b.jsonl") == f"file://{tmp_path}/a%20b.jsonl"
    assert canonical_out("results/") == f"file://{tmp_path}/results"


def test_each_scheme_has_a_name_of_its_own():
    for scheme in SINKS.names():
        end = {"sqlite": "/x", "amqp": "h/?queue=q", "amqps": "h/?queue=q"}.get(scheme, "h/x")
        assert canonical_out(f"{scheme}://{end}").startswith(f"{scheme}://")


@pytest.mark.parametrize(
    "out",
    [
        "postgresql://u:s3cr3t@h",
        "postgresql://u:s3cr3t@h/db?table=a;drop",
        "postgresql://u:s3cr3t@h/db?table=1a",
        "postgresql://u:s3cr3t@h/db?table=" + "a" * 64,
        "postgresql://u:s3cr3t@h/db?tables=a",
        "postgresql://u:s3cr3t@h/db?table=a&table=b",
        "postgresql://u:s3cr3t@h:port/db",
        "postgresql://u:s3cr3t@h:99999/db",
        "mysql://u:s3cr3t@h/db?init_command=drop",
        "sqlite://",
        "nats://u:s3cr3t@h",
        "nats://u:s3cr3t@h/a.*",
        "nats://u:s3cr3t@h/a.>",
        "nats://u:s3cr3t@h/a b",
        "redis://:s3cr3t@h",
        "redis://:s3cr3t@h/0/",
        "redis://:s3cr3t@h/a/b",
        "amqp://u:s3cr3t@h/v",
        "amqp://u:s3cr3t@h/v?queue=",
        "amqp://u:s3cr3t@h/v?queue=a&exchange=b",
        "amqp://u:s3cr3t@h/v?routing_key=a",
        "http://",
        "ftp://u:s3cr3t@h/x",
        "s3://bucket/x",
        "results.txt",
    ],
)
def test_what_is_wrong_is_said_without_secrets(out, tmp_path):
    with pytest.raises(UsageError) as caught:
        open_sink(out, tmp_path)
    text = f"{caught.value} {caught.value.__cause__}"
    assert SECRET not in text
    assert len(str(caught.value)) > 30


@pytest.mark.parametrize(
    ("out", "endless", "by", "kind"),
    [
        ("r.jsonl", False, None, "FileSink"),
        ("r.arrow", False, None, "FileSink"),
        ("r.csv", True, None, "PartsFolderSink"),
        ("r/", True, None, "PartsFolderSink"),
        ("r/", False, None, "PartitionedSink"),
        ("r/", False, "label", "PartitionedSink"),
        ("there", False, None, "PartitionedSink"),
        ("sqlite:///x.db", True, None, "SqlSink"),
    ],
)
def test_a_text_says_the_sink(out, endless, by, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert type(open_sink(out, tmp_path / "state", endless, by)).__name__ == kind
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


@pytest.mark.parametrize(
    ("out", "endless", "by"),
    [("r.parquet", False, "label"), ("r/", True, "label"), ("sqlite:///x", False, "label")],
)
def test_only_a_folder_is_split(out, endless, by, tmp_path):
    with pytest.raises(UsageError, match="--out FOLDER/"):
        open_sink(out, tmp_path, endless, by)


def test_a_column_that_does_not_split(tmp_path):
    with pytest.raises(UsageError, match=r"label, reason, status.*uri"):
        open_sink("r/", tmp_path, partition_by="uri")


def test_a_missing_package_names_its_extra():
    with pytest.raises(OutputError, match=r"needs no_such_thing.*pixelmine\[sql\]"):
        optional("no_such_thing", "sql")
    with pytest.raises(OutputError, match="needs no_such_thing"):
        optional("no_such_thing.inner", "sql")


@given(st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_user_and_password_are_read_as_they_were_written(user, password):
    from urllib.parse import quote

    url = f"redis://{quote(user, safe='')}:{quote(password, safe='')}@h/s"
    address = Address.parse(url, 1)
    assert (address.user or "", address.password) == (user, password)
    assert address.canonical == "redis://h:1/s"


def test_a_message_of_another_loses_the_password():
    address = Address.parse("redis://u:s3cr3t@h/s", 1)
    assert address.hide("no s3cr3t here\nsecond line") == "no *** here"
    assert address.hide("") == "str"
