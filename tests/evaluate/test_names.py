import pytest

from pixelmine.evaluate.names import file_name
from pixelmine.evaluate.percent import percent


@pytest.mark.parametrize(
    ("uri", "member", "name"),
    [
        ("file:///a/b%20c.jpg", "", "b c.jpg"),
        ("s3://bucket/x/y.png", "", "y.png"),
        ("file:///a.zip", "in/side.jpg", "side.jpg"),
        ("pseudonym-1234", "", "pseudonym-1234"),
    ],
)
def test_file_name(uri, member, name):
    assert file_name(uri, member) == name


@pytest.mark.parametrize(
    ("share", "written"),
    [(0, "0.0%"), (0.0004, "<0.1%"), (0.5, "50.0%"), (0.9996, ">99.9%"), (1, "100.0%")],
)
def test_percent(share, written):
    assert percent(share) == written
