"""What `pixelmine compare` prints and hands on."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from pixelmine.api.compare import Compared
from pixelmine.cli.compare import compare
from pixelmine.evaluate import Rung, make_ladder
from pixelmine.evaluate.cost import Cost

APP = typer.Typer()
APP.command()(compare)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Stands for the work itself; gives what it was asked for."""
    calls = []

    def call(source, recipes, **options):
        calls.append((source, recipes, options))
        right, ids = np.arange(100) < 90, tuple(map(str, range(100)))
        parts = {"peak_bytes": 10**8, "base_bytes": 10**7, "precision": "f32"}
        cost = Cost(seconds=0.0012, size_bytes=905_000, runtime="openvino", **parts)
        rungs = [
            Rung(name="first", row_ids=ids, right=right, cost=cost, train_seconds=61.0),
            Rung(name="second", reason="It takes \x1b[31mphotographs alone."),
        ]
        return Compared(ladder=make_ladder(rungs), out=tmp_path, split=None, seed=1)

    monkeypatch.setattr("pixelmine.api.compare.compare_recipes", call)
    return calls


def test_a_table_and_a_plain_sentence(asked):
    found = CliRunner().invoke(APP, ["mnist", "--recipes", "first, second"])
    assert found.exit_code == 0
    row = next(line for line in found.stdout.splitlines() if line.startswith("first "))
    assert row.split()[1:5] == ["0.9000", "0.8256", "to", "0.9448"]
    assert "1.20 ms" in row
    assert "905 kB" in row
    assert "second failed: It takes \\x1b[31mphotographs alone." in found.stdout
    assert "first is the only recipe measured" in found.stdout


def test_options_are_handed_on(asked):
    words = "mnist/ --recipes a,b --split ab12 --seed 5 --minutes 30 --margin 0.5 --out L"
    assert CliRunner().invoke(APP, words.split()).exit_code == 0
    source, recipes, options = asked[0]
    assert (str(source), recipes, str(options["out"])) == ("mnist", ["a", "b"], "L")
    assert (options["split"], options["seed"], options["minutes"]) == ("ab12", 5, 30)
    assert options["margin"] == pytest.approx(0.005)


def test_the_folder_is_named_for_the_source(asked):
    CliRunner().invoke(APP, ["/data/mnist", "--recipes", "a"])
    assert str(asked[0][2]["out"]) == "mnist.ladder"


def test_json_is_one_object(asked):
    found = CliRunner().invoke(APP, ["mnist", "--recipes", "first,second", "--json"])
    result = json.loads(found.stdout)
    assert (result["best"], result["enough"]) == ("first", "first")
    assert result["recipes"][1]["reason"].startswith("It takes")
