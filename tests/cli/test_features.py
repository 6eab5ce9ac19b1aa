"""`pixelmine features`: the same answers as the API."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pixelmine.api.features import list_features, show_features
from pixelmine.cli.features import app


@pytest.fixture
def picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(1).integers(0, 256, (40, 50, 3), np.uint8)
    Image.fromarray(pixels).save("photo.png")
    return "photo.png"


def test_list_names_each_feature_once():
    told = CliRunner().invoke(app, ["list", "--json"])
    assert json.loads(told.stdout) == {"features": list_features()}
    lines = CliRunner().invoke(app, ["list"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [f["feature"] for f in list_features()]
    assert "1,764" in next(line for line in lines if line.startswith("hog"))


def test_show_tells_what_the_api_tells(picture):
    told = CliRunner().invoke(app, ["show", picture, "--features", "lbp, shape", "--json"])
    assert told.exit_code == 0, told.output
    wanted = show_features(picture, names=["lbp", "shape"], overwrite=True)
    assert json.loads(told.stdout) == json.loads(json.dumps(wanted))


def test_show_prints_a_line_for_each_feature_and_the_sheet(picture):
    found = CliRunner().invoke(
        app, ["show", picture, "--features", "shape,edges", "--out", "s.png"]
    )
    lines = found.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["shape", "edges", "Sheet:"]
    assert lines[-1] == "Sheet: s.png"
    with Image.open("s.png") as sheet:
        assert sheet.format == "PNG"


def test_a_sheet_is_replaced_only_if_asked_for(picture):
    arguments = ["show", picture, "--features", "shape"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr
    assert CliRunner().invoke(app, [*arguments, "--overwrite"]).exit_code == 0
