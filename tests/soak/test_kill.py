"""The short version of benchmarks/kill.py."""

import json
import shutil

import pytest


@pytest.mark.slow
def test_what_was_killed_ends_as_if_it_had_not_been(tmp_path, few, benchmark_module):
    killed = benchmark_module("kill").killed
    found = killed(few(150), tmp_path, 3, commit_every=0.1)
    for toll in found.values():
        assert toll["kills"] == 3
        assert toll["first_differences"] == []
        assert toll["children_left"] == 0
        assert toll["ended"] == {"killed": 3, "well": toll["runs"]}


@pytest.mark.slow
def test_the_comparison_sees_what_is_lost_and_what_is_twice(tmp_path, few, benchmark_module):
    engines = benchmark_module("engines")
    folder, out, into = few(5), tmp_path / "one.jsonl", tmp_path / "one"
    engines.call(["predict", folder, "--out", out])
    lines = out.read_text("utf-8").splitlines(keepends=True)
    other = tmp_path / "other.jsonl"

    def differences(lines):
        other.write_text("".join(lines), "utf-8")
        return engines.compare_results(out, other)[0]

    assert differences(lines) == []
    assert "is lost" in differences(lines[1:])[0]
    assert "more than once" in differences([lines[0], *lines])[0]
    at, row = next((at, r) for at, r in enumerate(map(json.loads, lines)) if r["top"])
    row["top"][0]["probability"] -= 0.002
    changed = [*lines[:at], json.dumps(row) + "\n", *lines[at + 1 :]]
    assert differences(changed) == [f"{row['row_id']}: probabilities differ by 0.002"]

    engines.call(["ingest", folder, "--into", into])
    again = shutil.copytree(into, tmp_path / "again")
    assert engines.compare_collections(into, again) == []
    from pixelmine.store import Collection

    with Collection.open(again) as collection:
        rows = collection.images.read()
        collection.images.append(rows.slice(0, 1))
    found = engines.compare_collections(into, again)
    assert any("more than once" in text for text in found)
    assert len([text for text in found if text.startswith("verify: ")]) == 1
