import os

import pytest

from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import content_id, file_uri, row_id
from pixelmine.core.schema import LISTING
from pixelmine.input import list_folder
from pixelmine.input.labels import FOLDERS, CsvLabels, FolderLabels, LabelOptions


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "pictures"
    for name in ("a.jpg", "b.jpg", "sub/a.jpg", "sub/c d.jpg", "sub/deep/é.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.fixture
def table(tmp_path, root):
    def read(text, encoding="utf-8", **options):
        path = tmp_path / "labels.csv"
        path.write_bytes(text.encode(encoding))
        return CsvLabels.read(root, LabelOptions(labels=str(path), **options))

    return read


def label(table, name):
    return table.describe(table.root / name).get("label")


def missing(table):
    return [row for batch in table.missing() for row in batch.to_pylist()]


def listed(root, table):
    batches = [*list_folder(root, table.describe), *table.missing()]
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert len({row["row_id"] for row in rows}) == len(rows), "a row_id comes twice"
    return {row["uri"].removeprefix(file_uri(root) + "/"): row for row in rows}


def test_a_row_is_found_by_path_then_name_then_stem(table):
    found = table("image,label\na.jpg,name\nsub/a.jpg,path\nb,stem\nc d,blank\né,accent\n")
    assert label(found, "a.jpg") == "name"
    assert label(found, "sub/a.jpg") == "path"
    assert label(found, "b.jpg") == "stem"
    assert label(found, "sub/c d.jpg") == "blank"
    assert label(found, "sub/deep/é.png") == "accent"
    assert found.describe(found.root / "sub" / "z.jpg") == {}
    assert missing(found) == []


def test_a_name_goes_before_a_stem(table):
    found = table("image,label\nc d,stem\nc d.jpg,name\n")
    assert label(found, "sub/c d.jpg") == "name"
    assert [row["label"] for row in missing(found)] == ["stem"]


def test_one_name_may_stand_for_files_in_several_folders(table):
    found = table("image,label\na.jpg,x\n")
    assert label(found, "a.jpg") == label(found, "sub/a.jpg") == "x"


@pytest.mark.parametrize("prefix", ["./", ".//", "{root}/", "{root}/./"])
def test_names_with_a_dot_or_a_whole_path_are_those_of_the_files(table, root, prefix):
    prefix = prefix.format(root=root)
    rows = listed(root, table(f"image,label\n{prefix}a.jpg,top\n{prefix}sub/a.jpg,below\n"))
    assert {name: row["label"] for name, row in rows.items() if row["label"]} == {
        "a.jpg": "top",
        "sub/a.jpg": "below",
    }
    assert not [row for row in rows.values() if row["reason"]]


def test_a_row_without_a_file_is_a_row_with_a_reason(root, table):
    rows = listed(
        root, table("image,label,sender\nz.jpg,x,7\nsub/y,,8\nb,x,9\n", group_by="sender")
    )
    assert len(rows) == 7
    absent = {name: row for name, row in rows.items() if row["reason"]}
    assert list(absent) == ["sub/y", "z.jpg"]
    uri = file_uri(root / "z.jpg")
    assert absent["z.jpg"] == {
        **dict.fromkeys(LISTING.names),
        "row_id": row_id(uri),
        "uri": uri,
        "member": "",
        "frame": 0,
        "reason": "not_found",
        "label": "x",
        "group": "7",
        "meta": [],
    }
    assert rows["b.jpg"]["group"] == "9"


def test_a_name_that_comes_twice_must_say_the_same(table):
    assert label(table("image,label\nb,x\n./b,x\n"), "b.jpg") == "x"
    with pytest.raises(SourceError, match=r"names '\./b' twice, with different values"):
        table("image,label\nb,x\n./b,y\n")


def test_several_sources_share_one_table(tmp_path, root):
    other, path = tmp_path / "other", tmp_path / "labels.csv"
    (other / "in").mkdir(parents=True)
    (other / "in" / "n.jpg").touch()
    path.write_text("image,label\nin/n.jpg,new\nb,old\nz.jpg,gone\n")
    options = LabelOptions(labels=str(path), group_by=FOLDERS)
    found = CsvLabels.read(root, options, [other])
    rows = [
        row
        for batches in (
            list_folder(root, found.describe),
            list_folder(other, found.describe),
            found.missing(),
        )
        for batch in batches
        for row in batch.to_pylist()
    ]
    labelled = {row["uri"]: (row["label"], row["group"]) for row in rows if row["label"]}
    assert labelled == {
        file_uri(root / "b.jpg"): ("old", None),
        file_uri(other / "in" / "n.jpg"): ("new", "in"),
        file_uri(root / "z.jpg"): ("gone", None),
    }
    assert [row["uri"] for row in rows if row["reason"]] == [file_uri(root / "z.jpg")]


def test_a_table_is_named_by_its_bytes(tmp_path, monkeypatch):
    path = tmp_path / "labels.csv"
    path.write_text("image,label\na,x\n")
    monkeypatch.chdir(tmp_path)
    options = LabelOptions(labels="labels.csv", group_by=FOLDERS)
    assert options.absolute() == LabelOptions(labels=str(path), group_by=FOLDERS)
    before = options.table_digest()
    assert before == options.absolute().table_digest() == content_id(path.read_bytes())
    path.write_text("image,label\na,y\n")
    assert options.table_digest() not in (before, None)
    for other in (LabelOptions(), LabelOptions(labels=FOLDERS), LabelOptions(labels="nothing")):
        assert other.table_digest() is None
    assert LabelOptions(labels=FOLDERS).absolute() == LabelOptions(labels=FOLDERS)
    assert options.source == ["labels.csv", None, None]


def test_other_columns_are_kept(table):
    found = table("image,label,kids,Größe\nb.jpg,x,True,\na.jpg,x,,XL\n", group_by="kids")
    assert found.describe(found.root / "b.jpg") == {"label": "x", "group": "True", "meta": []}
    assert found.describe(found.root / "a.jpg")["meta"] == [("Größe", "XL")]


def test_an_empty_cell_is_no_label_and_no_group(table):
    found = table("image,label,sender\na.jpg,,\n", group_by="sender")
    assert found.describe(found.root / "a.jpg") == {"label": None, "group": None, "meta": []}


@pytest.mark.parametrize("text", ["label,image\nx\ny,b.jpg\n", "image,label\n,x\n\n  \nb.jpg,y\n"])
def test_a_row_that_is_cut_short_names_no_picture(table, text):
    found = table(text)
    assert label(found, "b.jpg") == "y"
    assert [row for row in missing(found) if row["label"] == "x"] == []


def test_cells_too_many_are_left_out(table):
    found = table("image,label\nb.jpg,y,1,2,3\n")
    assert found.describe(found.root / "b.jpg") == {"label": "y", "group": None, "meta": []}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_a_name(table, encoding):
    assert label(table("image,label\nb.jpg,größe\n", encoding), "b.jpg") == "größe"


def test_quotes_commas_and_line_ends(table):
    found = table('image,label\r\n"b.jpg","a, ""b""\nc"\r\n')
    assert label(found, "b.jpg") == 'a, "b"\nc'


@pytest.mark.parametrize(
    "header", ["File,CLASS", "path,category", "x,filename,labels", "name,class"]
)
def test_the_usual_column_names_are_found(table, header):
    cells = ",".join(
        "b.jpg" if c.lower() in ("file", "path", "filename", "name") else "y"
        for c in header.split(",")
    )
    assert label(table(f"{header}\n{cells}\n"), "b.jpg") == "y"


def test_columns_can_be_named(table):
    found = table("id,what,label\nb,cat,other\n", name_column="id", label_column="what")
    assert found.describe(found.root / "b.jpg") == {
        "label": "cat",
        "group": None,
        "meta": [("label", "other")],
    }


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({}, "--name-column"),
        ({"name_column": "id"}, "--label-column"),
        ({"name_column": "nothing"}, "--name-column"),
        ({"name_column": "id", "label_column": "nothing"}, "--label-column"),
        ({"name_column": "id", "label_column": "what", "group_by": "nothing"}, "--group-by"),
    ],
)
def test_a_column_that_is_not_there_is_answered_with_those_that_are(table, options, option):
    with pytest.raises(UsageError, match=f"It has: id, what, more.*{option}"):
        table("id,what,more\nb,cat,x\n", **options)


def test_an_empty_table(table):
    with pytest.raises(UsageError, match="has no column"):
        table("")


@pytest.mark.parametrize(
    "content", [b"image,label\n\xff\xfe,x\n", b'image,label\n"' + b"x" * 1_100_000, None]
)
def test_a_table_that_cannot_be_read(tmp_path, root, content):
    path = tmp_path / "labels.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=r"labels\.csv cannot be read"):
        CsvLabels.read(root, LabelOptions(labels=str(path)))
    with pytest.raises(SourceError, match="cannot be read"):
        CsvLabels.read(root, LabelOptions(labels=str(tmp_path)))


def test_labels_and_groups_from_folders(root):
    found = FolderLabels(root, LabelOptions(labels=FOLDERS, group_by=FOLDERS))
    assert found.describe(root / "a.jpg") == {"label": None, "group": None}
    assert found.describe(root / "sub" / "a.jpg") == {"label": "sub", "group": "sub"}
    assert found.describe(root / "sub" / "deep" / "é.png") == {"label": "deep", "group": "deep"}
    only = FolderLabels(root, LabelOptions(labels=FOLDERS))
    assert only.describe(root / "sub" / "a.jpg") == {"label": "sub", "group": None}
    assert FolderLabels(root, LabelOptions()).describe(root / "sub" / "a.jpg")["label"] is None


def test_labels_from_a_table_and_groups_from_folders(table, root):
    found = table("image,label\na.jpg,x\n", group_by=FOLDERS)
    assert found.describe(root / "sub" / "a.jpg") == {"label": "x", "group": "sub", "meta": []}
    assert found.describe(root / "sub" / "z.jpg") == {"group": "sub"}
    assert found.describe(root / "a.jpg")["group"] is None


def test_a_folder_whose_name_is_not_utf8_still_has_one(tmp_path):
    for name in (b"caf\xe9", b"caf\xe8"):
        folder = tmp_path / os.fsdecode(name)
        folder.mkdir()
        (folder / "a.jpg").touch()
    found = FolderLabels(tmp_path, LabelOptions(labels=FOLDERS, group_by=FOLDERS))
    (batch,) = list_folder(tmp_path, found.describe)
    assert batch["label"].to_pylist() == ["caf\\xe8", "caf\\xe9"]


@pytest.mark.parametrize(
    "options",
    [
        {"name_column": "x"},
        {"label_column": "x", "labels": FOLDERS},
        {"group_by": "sender", "labels": FOLDERS},
    ],
)
def test_options_that_do_not_go_together(options):
    with pytest.raises(UsageError, match=r"FILE\.csv"):
        LabelOptions(**options)


@pytest.mark.parametrize("options", [{"group_by": "sender"}, {"label_column": "what"}])
def test_a_folder_has_no_columns(root, options):
    with pytest.raises(UsageError, match=r"FILE\.csv"):
        FolderLabels(root, LabelOptions(**options))


@pytest.mark.parametrize("name", ["a.jpg", "sub/a.jpg", "/x/a.jpg", "x/a.png"])
def test_members_of_archives_and_addresses_are_found_like_files(table, name):
    found = table("image,label\na,stem\na.jpg,name\nsub/a.jpg,path\n")
    wanted = {"sub/a.jpg": "path", "x/a.png": "stem"}.get(name, "name")
    assert found.describe_name(name)["label"] == wanted
    assert found.describe_name("other.jpg") == {}
    assert found.describe_name("other.jpg", "sub/a.jpg")["label"] == "path"


def test_the_folder_of_a_member_is_its_label(root):
    found = FolderLabels(root, LabelOptions(labels=FOLDERS, group_by=FOLDERS))
    assert found.describe_name("x/cat/a.jpg") == {"label": "cat", "group": "cat"}
    assert found.describe_name("a.jpg") == {"label": None, "group": None}


def test_the_clothing_table(test_data):
    root = test_data / "clothing"
    options = LabelOptions(labels=str(root / "images.csv"), group_by="sender_id")
    found = CsvLabels.read(root / "images", options)
    rows = [row for b in list_folder(root / "images", found.describe) for row in b.to_pylist()]
    assert len(rows) == 5756
    assert sum(row["label"] is None for row in rows) == 358
    assert len({row["label"] for row in rows if row["label"]}) == 20
    assert len(missing(found)) == 5
    assert {tuple(dict(row["meta"])) for row in rows if row["meta"]} == {("kids",)}


@pytest.mark.parametrize(
    ("separator", "text", "found"),
    [
        (None, "a; b", ["a; b"]),
        (";", "a; b ;; a", ["a", "b"]),
        (" | ", "a | b c|d", ["a", "b c|d"]),
        (",", '["b, c", "a"]', ["b, c", "a"]),
        (",", "[not, json", ["[not", "json"]),
        (",", "[" * 2000, ["[" * 2000]),
        (";", " ; ", []),
    ],
)
def test_several_labels_in_one_text(separator, text, found):
    assert LabelOptions(labels="x.csv", separator=separator).several(text) == found


def test_another_separator_is_another_source_of_labels():
    plain = LabelOptions(labels="x.csv")
    assert LabelOptions(labels="x.csv", separator=";").source != plain.source
    with pytest.raises(UsageError, match="at least one character"):
        LabelOptions(labels="x.csv", separator="")
