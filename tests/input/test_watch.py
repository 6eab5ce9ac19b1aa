import os
import resource
import threading
import time

import pyarrow as pa
import pytest

from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import file_uri, uri_path
from pixelmine.core.schema import LISTING
from pixelmine.input import watch, watch_tree
from pixelmine.input.feeds import open_feed
from pixelmine.input.labels import LabelOptions
from pixelmine.input.open import open_source
from pixelmine.input.source import SourceOptions
from pixelmine.input.watch import WatchFeed

SETTLE, POLL = 0.2, 0.05


def feed_of(folder, options=None, **more):
    more = {"settle_s": SETTLE, "poll_s": POLL, "rescan_s": 0.3} | more
    return WatchFeed(folder, options or SourceOptions(), **more)


def old(path, data=b"x"):
    """A file that was last changed long ago, as far as its own times can say so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, ns=(10**18, 10**18))


def pulled(feed, count, wait_s=5.0):
    """Rows until there are `count`."""
    rows, until = [], time.monotonic() + wait_s
    while len(rows) < count and time.monotonic() < until:
        batch = feed.pull(1000, 0.1)
        assert batch.schema == LISTING
        rows += batch.to_pylist()
    return rows


def names(rows, root):
    return sorted(str(uri_path(row["uri"]).relative_to(root)) for row in rows)


def quiet(feed, wait_s=0.8):
    return feed.pull(1000, wait_s).num_rows == 0


def test_files_that_are_there_come_once_like_those_of_a_plain_listing(tmp_path):
    for name in ("b.jpg", "a/x.png", "a/y z.png", "c/d/e.gif"):
        old(tmp_path / name, name.encode())
    labels = LabelOptions(labels="folders", group_by="folders")
    for options in (SourceOptions(), SourceOptions(labels=labels)):
        feed = feed_of(tmp_path, options)
        listed = [row for b in open_source(tmp_path, options).list() for row in b.to_pylist()]
        rows = pulled(feed, 4)
        assert sorted(rows, key=lambda r: r["uri"]) == sorted(listed, key=lambda r: r["uri"])
        assert quiet(feed)
        assert feed.uri == file_uri(tmp_path)


def test_labels_of_a_csv_come_along_also_those_written_later(tmp_path):
    table = tmp_path / "labels" / "l.csv"
    folder = tmp_path / "in"
    folder.mkdir()
    table.parent.mkdir()
    table.write_text("file,label,sender\na.jpg,cat,me\nmissing.jpg,dog,me\n")
    options = SourceOptions(labels=LabelOptions(labels=str(table), group_by="sender"))
    feed = feed_of(folder, options)
    old(folder / "a.jpg")
    (row,) = pulled(feed, 1)
    assert (row["label"], row["group"], row["reason"]) == ("cat", "me", None)
    table.write_text("file,label,sender\na.jpg,cat,me\nb.jpg,bird,you\n")
    old(folder / "b.jpg")
    (row,) = pulled(feed, 1)
    assert (row["label"], row["group"]) == ("bird", "you")
    assert quiet(feed)


def test_new_files_come_after_they_settled_also_in_new_and_moved_in_folders(tmp_path):
    folder = tmp_path / "in"
    (folder / "empty").mkdir(parents=True)
    feed = feed_of(folder)
    assert quiet(feed, 0.3)
    begin = time.monotonic()
    (folder / "a").write_bytes(b"1")
    (folder / "empty" / "b").write_bytes(b"2")
    (folder / "new" / "deep").mkdir(parents=True)
    (folder / "new" / "deep" / "c").write_bytes(b"3")
    old(tmp_path / "out" / "sub" / "d")
    (tmp_path / "out").rename(folder / "moved")
    rows = pulled(feed, 4)
    assert time.monotonic() - begin >= SETTLE
    assert names(rows, folder) == ["a", "empty/b", "moved/sub/d", "new/deep/c"]
    assert quiet(feed)


def test_a_slow_writer_is_waited_for_and_never_given_half(tmp_path):
    feed, whole = feed_of(tmp_path, settle_s=0.4), b"0123456789" * 100

    def write():
        with (tmp_path / "slow.jpg").open("wb") as file:
            for at in range(0, len(whole), 100):
                file.write(whole[at : at + 100])
                file.flush()
                time.sleep(0.12)

    writer = threading.Thread(target=write)
    writer.start()
    rows = pulled(feed, 1)
    writer.join()
    assert [row["size"] for row in rows] == [len(whole)]
    assert quiet(feed)


def test_unfinished_names_are_passed_over_until_they_are_renamed(tmp_path):
    feed = feed_of(tmp_path)
    for name in (".a.jpg", "b.tmp", "c.PART", "d.crdownload", ".hidden/e.jpg", "f.part/g.jpg"):
        old(tmp_path / name)
    assert quiet(feed)
    (tmp_path / "b.tmp").rename(tmp_path / "b.jpg")
    assert names(pulled(feed, 1), tmp_path) == ["b.jpg"]


def test_changed_files_come_again_and_touched_folders_do_not(tmp_path):
    for name in ("in-place", "replaced", "same"):
        old(tmp_path / name)
    feed = feed_of(tmp_path)
    assert len(pulled(feed, 3)) == 3
    (tmp_path / "in-place").write_bytes(b"longer")
    old(tmp_path / "other.tmp", b"other")
    os.utime(tmp_path / "other.tmp", ns=(2 * 10**18, 2 * 10**18))
    (tmp_path / "other.tmp").rename(tmp_path / "replaced")
    again = pulled(feed, 2)
    assert names(again, tmp_path) == ["in-place", "replaced"]
    assert sorted(row["size"] for row in again) == [5, 6]
    old(tmp_path / "replaced", b"x")
    assert names(pulled(feed, 1), tmp_path) == ["replaced"], "as it once was, and given again"
    os.utime(tmp_path)
    assert quiet(feed)


def test_a_replaced_file_is_found_without_looking_at_all_files(tmp_path):
    old(tmp_path / "a")
    feed = feed_of(tmp_path, rescan_s=1000)
    assert len(pulled(feed, 1)) == 1
    (tmp_path / "b.tmp").write_bytes(b"new")
    (tmp_path / "b.tmp").rename(tmp_path / "a")
    assert [row["size"] for row in pulled(feed, 1)] == [3]


def test_what_is_done_is_left_out_and_what_is_not_comes_again(tmp_path):
    for name in "abc":
        old(tmp_path / name)
    first = feed_of(tmp_path)
    rows = pulled(first, 3)
    first.acknowledge(pa.RecordBatch.from_pylist(rows, LISTING))
    first.close()
    known = {(row["row_id"], row["size"], row["mtime_ns"]) for row in rows[:2]}
    (tmp_path / "a").write_bytes(b"changed")

    def done(batch):
        rows = batch.to_pylist()
        left = [(r["row_id"], r["size"], r["mtime_ns"]) not in known for r in rows]
        return batch.filter(pa.array(left))

    second = feed_of(tmp_path, done=done)
    assert names(pulled(second, 2), tmp_path) == ["a", "c"]
    assert quiet(second)


def test_links_are_followed_once_and_loops_end(tmp_path):
    folder = tmp_path / "in"
    old(folder / "a" / "x")
    old(tmp_path / "outside" / "y")
    (folder / "a" / "loop").symlink_to(folder)
    (folder / "b").symlink_to(tmp_path / "outside")
    (folder / "z").symlink_to(folder / "b")
    (folder / "file").symlink_to(tmp_path / "outside" / "y")
    feed = feed_of(folder)
    listed = [row for b in open_source(folder, SourceOptions()).list() for row in b.to_pylist()]
    assert names(pulled(feed, 3), folder) == names(listed, folder) == ["a/x", "b/y", "file"]
    assert quiet(feed)


def test_a_broken_link_is_a_row_and_so_is_its_target_once_there(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "target")
    feed = feed_of(folder)
    assert [row["reason"] for row in pulled(feed, 1)] == ["not_found"]
    assert quiet(feed)
    (tmp_path / "target").write_bytes(b"x")
    assert [(row["reason"], row["size"]) for row in pulled(feed, 1)] == [(None, 1)]


def test_a_folder_that_cannot_be_listed_is_a_row_once(tmp_path, monkeypatch):
    old(tmp_path / "good" / "a")
    old(tmp_path / "shut" / "b")
    scandir, shut = os.scandir, [True]

    def refuse(path="."):
        if shut[0] and str(path).endswith("shut"):
            raise PermissionError(13, "no")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    feed = feed_of(tmp_path)
    rows = pulled(feed, 2)
    assert names(rows, tmp_path) == ["good/a", "shut"]
    assert [row["reason"] for row in rows if row["reason"]] == ["denied"]
    assert quiet(feed)
    shut[0] = False
    assert names(pulled(feed, 1), tmp_path) == ["shut/b"]


def test_what_vanishes_is_no_row_and_what_comes_back_is(tmp_path):
    feed = feed_of(tmp_path)
    (tmp_path / "gone").write_bytes(b"x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "gone").write_bytes(b"x")
    feed.pull(10, 0.0)
    assert feed.waiting() == 2
    (tmp_path / "gone").unlink()
    (tmp_path / "sub" / "gone").unlink()
    (tmp_path / "sub").rmdir()
    assert quiet(feed)
    assert feed.waiting() == 0
    old(tmp_path / "gone")
    assert len(pulled(feed, 1)) == 1
    (tmp_path / "gone").unlink()
    assert quiet(feed, 1.0)
    old(tmp_path / "gone")
    assert len(pulled(feed, 1)) == 1


def test_pipes_and_what_is_left_out_are_no_rows(tmp_path):
    for name in ("a", "out/b", "c"):
        old(tmp_path / name)
    os.mkfifo(tmp_path / "pipe")
    feed = feed_of(tmp_path, SourceOptions(leave_out=(tmp_path / "out", tmp_path / "c")))
    assert names(pulled(feed, 1), tmp_path) == ["a"]
    assert quiet(feed)


def test_no_more_rows_than_asked_and_no_more_found_than_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "_OLD_NS", -1)
    for index in range(50):
        old(tmp_path / f"{index:02}")
    feed, sizes = feed_of(tmp_path), []
    while (batch := feed.pull(20, 0.3)).num_rows:
        sizes.append(batch.num_rows)
        assert feed.waiting() <= 20
    assert sizes == [20, 20, 10]


def test_more_new_files_than_are_watched_at_once_all_come(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "_MOST_PENDING", 7)
    for index in range(30):
        (tmp_path / f"{index}").write_bytes(b"x")
    feed = feed_of(tmp_path, rescan_s=1000)
    assert len({row["uri"] for row in pulled(feed, 30, 10)}) == 30
    for index in range(30, 50):
        (tmp_path / f"{index}").write_bytes(b"x")
    assert len(pulled(feed, 20, 10)) == 20
    assert quiet(feed)


def test_many_files_are_not_looked_at_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "_OLD_NS", -1)
    for folder in range(20):
        (tmp_path / str(folder)).mkdir()
        for index in range(100):
            (tmp_path / str(folder) / str(index)).touch()
        os.utime(tmp_path / str(folder), ns=(10**18, 10**18))
    feed = feed_of(tmp_path, rescan_s=1000)
    assert len(pulled(feed, 2000, 60)) == 2000
    looks = []
    monkeypatch.setattr(watch, "state_of", lambda path: looks.append(path))
    monkeypatch.setattr(watch_tree, "state_of", lambda path: looks.append(path))
    before = resource.getrusage(resource.RUSAGE_SELF)
    feed.pull(10, 1.0)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert looks == []
    assert after.ru_utime - before.ru_utime < 0.5


def test_given_keeps_the_last_mark_over_merges():
    given, wanted = watch_tree.Given(), {}
    for key in [*range(40_000), *range(0, 40_000, 7)]:
        mark = wanted[key] = wanted.get(key, 0) + key + 1
        given.put(key, mark)
    keys = [*range(50_000)]
    assert given.marks(keys) == [wanted.get(key, 0) for key in keys]
    from array import array

    given.keep(array("q", range(100)))
    assert given.marks([99, 100]) == [wanted[99], 0]
    given.keep(array("q"))
    assert given.marks([99]) == [0]


def test_a_lost_or_missing_folder_and_wrong_options_are_errors(tmp_path):
    with pytest.raises(SourceError, match="no folder"):
        feed_of(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match="no folder"):
        feed_of(tmp_path / "file")
    with pytest.raises(UsageError, match="settle_s"):
        feed_of(tmp_path, settle_s=0)
    (tmp_path / "in").mkdir()
    feed = feed_of(tmp_path / "in")
    feed.pull(1, 0.0)
    (tmp_path / "in").rmdir()
    with pytest.raises(SourceError, match="cannot be read any more"):
        feed.pull(1, 1.0)


def test_open_feed_watches_a_path_and_a_file_address(tmp_path):
    for text in (tmp_path, str(tmp_path), file_uri(tmp_path)):
        feed = open_feed(text, SourceOptions(), watch=True)
        assert isinstance(feed, WatchFeed)
        assert feed.uri == file_uri(tmp_path)


def _all_given(tree):
    for seen in tree.sweep():
        tree.given.put(seen.key, seen.state.mark)
        yield seen


def test_a_file_that_is_gone_is_forgotten(tmp_path):
    for name in ("a", "b/c", "b/d"):
        old(tmp_path / name)
    tree = watch_tree.Tree(tmp_path, frozenset())
    seen = {os.path.relpath(found.path, tmp_path): found for found in _all_given(tree)}
    (tmp_path / "b" / "c").unlink()
    assert list(tree.sweep()) == []
    keys = [seen[name].key for name in ("a", "b/c", "b/d")]
    assert [mark != 0 for mark in tree.given.marks(keys)] == [True, False, True]


def test_a_folder_changed_again_within_a_step_of_its_clock_is_read_again(tmp_path):
    tree = watch_tree.Tree(tmp_path, frozenset())
    (tmp_path / "a").touch()
    assert len([*_all_given(tree)]) == 1
    stamp = tmp_path.stat().st_mtime_ns
    (tmp_path / "b").touch()
    os.utime(tmp_path, ns=(stamp, stamp))
    assert [found.path for found in tree.changes()] == [str(tmp_path / "b")]
