"""A plan is made, looked at, applied, undone: nothing is deleted, nothing is lost when killed."""

import csv
import shutil
from pathlib import Path

import cv2
import pytest
from PIL import Image

from pixelmine.api.collection import show, verify
from pixelmine.api.ingest import ingest
from pixelmine.api.mine import plan as plan_module
from pixelmine.api.mine.duplicates import mine_duplicates
from pixelmine.api.mine.plan import apply_plan, make_plan, show_plan, undo_plan
from pixelmine.core.errors import OutputError, UsageError
from pixelmine.core.ids import file_uri, uri_path
from pixelmine.mine.duplicates import DuplicateOptions
from pixelmine.mine.plan import PlanOptions, plan_groups
from pixelmine.mine.planted import encode
from tests.api.mine.drawn import photographs

HASHES = DuplicateOptions(edited=False, scene=None)


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """Photographs, some of them twice and thrice, in two folders."""
    pixels = photographs(tmp_path / "pile")
    other = tmp_path / "pile/other"
    other.mkdir()
    shutil.copy(tmp_path / "pile/coffee.jpg", other / "coffee.jpg")
    (other / "coffee small.jpg").write_bytes(encode(pixels["coffee"][::2, ::2], 80))
    (tmp_path / "pile/rocket low.jpg").write_bytes(encode(pixels["rocket"], 30))
    collection = tmp_path / "collection"
    ingest([tmp_path / "pile"], into=collection)
    mine_duplicates(collection, HASHES)
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted((folder / "pile").rglob("*.jpg"))
    }


def lines(plan: Path) -> dict[str, dict[str, str]]:
    with plan.open(newline="") as file:
        return {str(uri_path(row["uri"])): row for row in csv.DictReader(file)}


def test_what_goes_is_set_aside_and_comes_back(pile: Path) -> None:
    before, images = files(pile), show(pile / "collection")
    plan = pile / "plan.csv"
    made = make_plan(pile / "collection", plan)
    assert (made.groups, made.keep, made.remove, made.problems) == (2, 2, 3, ())
    assert show_plan(pile / "collection", plan) == made
    assert files(pile) == before, "a plan changes nothing"
    kept = {Path(name).name for name, row in lines(plan).items() if row["action"] == "keep"}
    assert "rocket.jpg" in kept
    done = apply_plan(pile / "collection", plan)
    assert (done.moved, done.marked) == (3, 3)
    after = files(pile)
    assert set(after) < set(before)
    assert len(after) == len(before) - 3
    assert "pile/rocket.jpg" in after
    aside = {path.read_bytes() for path in Path(done.folder, "files").iterdir()}
    assert aside == {data for name, data in before.items() if name not in after}
    assert show(pile / "collection").reasons == {"quarantined": 3}
    assert verify(pile / "collection") == []
    ingest([pile / "pile"], into=pile / "collection")
    assert show(pile / "collection").reasons == {"quarantined": 3}
    assert mine_duplicates(pile / "collection", HASHES).summary["groups"] == 0
    back = undo_plan(pile / "collection")
    assert (back.moved, back.marked) == (3, 3)
    assert files(pile) == before
    assert show(pile / "collection").ok == images.ok
    with pytest.raises(UsageError, match="no applied plan"):
        undo_plan(pile / "collection")
    assert apply_plan(pile / "collection", plan).moved == 3, "an undone plan can be applied again"


def test_a_killed_apply_goes_on(pile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(pile)
    make_plan(pile / "collection", pile / "plan.csv")
    real, moved = plan_module._move, []

    def failing(source: Path, target: Path) -> None:
        if len(moved) == 1:
            raise KeyboardInterrupt
        moved.append(source)
        real(source, target)

    monkeypatch.setattr(plan_module, "_move", failing)
    with pytest.raises(KeyboardInterrupt):
        apply_plan(pile / "collection", pile / "plan.csv")
    assert len(files(pile)) == len(before) - 1
    monkeypatch.setattr(plan_module, "_move", real)
    assert apply_plan(pile / "collection", pile / "plan.csv").moved == 3
    undo_plan(pile / "collection")
    assert files(pile) == before


def test_a_half_applied_plan_can_be_undone(pile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(pile)
    make_plan(pile / "collection", pile / "plan.csv")
    with monkeypatch.context() as patch:
        patch.setattr(plan_module, "_move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            apply_plan(pile / "collection", pile / "plan.csv")
    undo_plan(pile / "collection")
    assert files(pile) == before
    assert show(pile / "collection").failed == 0


def test_the_last_of_a_group_never_goes(pile: Path) -> None:
    plan = pile / "plan.csv"
    make_plan(pile / "collection", plan)
    plan.write_text(plan.read_text().replace(",keep,", ",remove,"))
    assert "Nothing would stay of 2 groups" in show_plan(pile / "collection", plan).problems[0]
    before = files(pile)
    with pytest.raises(UsageError, match="not applied"):
        apply_plan(pile / "collection", plan)
    assert files(pile) == before


def test_nothing_moves_where_the_one_that_stays_is_gone(pile: Path) -> None:
    plan = pile / "plan.csv"
    make_plan(pile / "collection", plan)
    (pile / "pile/rocket.jpg").write_bytes(b"something else")
    before = files(pile)
    with pytest.raises(UsageError, match="What is to stay"):
        apply_plan(pile / "collection", plan)
    assert files(pile) == before


def test_a_file_that_has_changed_does_not_move(pile: Path) -> None:
    plan = pile / "plan.csv"
    make_plan(pile / "collection", plan)
    changed = uri_path(
        next(row["uri"] for row in lines(plan).values() if row["action"] == "remove")
    )
    changed.write_bytes(b"a new picture that nobody has looked at")
    with pytest.raises(OutputError, match="has changed"):
        apply_plan(pile / "collection", plan)
    assert changed.read_bytes() == b"a new picture that nobody has looked at"


def test_undo_leaves_what_lies_there_now(pile: Path) -> None:
    plan = pile / "plan.csv"
    make_plan(pile / "collection", plan)
    gone = uri_path(next(row["uri"] for row in lines(plan).values() if row["action"] == "remove"))
    apply_plan(pile / "collection", plan)
    gone.write_bytes(b"new")
    with pytest.raises(OutputError, match="other files lie"):
        undo_plan(pile / "collection")
    assert gone.read_bytes() == b"new"
    gone.unlink()
    undo_plan(pile / "collection")
    assert gone.stat().st_size > 3


def test_a_link_and_what_it_leads_to_are_one_file(tmp_path: Path) -> None:
    photographs(tmp_path / "pile")
    (tmp_path / "pile/a.jpg").symlink_to("rocket.jpg")
    collection = tmp_path / "collection"
    ingest([tmp_path / "pile"], into=collection)
    mine_duplicates(collection, HASHES)
    before = files(tmp_path)
    made = make_plan(collection, tmp_path / "plan.csv", PlanOptions(keep=("path",)))
    assert made.remove == 1
    done = apply_plan(collection, tmp_path / "plan.csv")
    assert (done.moved, done.marked) == (0, 1)
    assert files(tmp_path) == before, "neither the link nor its target moves"
    undo_plan(collection)
    assert show(collection).failed == 0


def test_a_file_stays_for_its_other_frames(tmp_path: Path) -> None:
    pixels = photographs(tmp_path / "pile")
    frames = [Image.fromarray(pixels[name]) for name in ("rocket", "coffee", "chelsea")]
    file = tmp_path / "pile/several.tiff"
    frames[0].save(file, save_all=True, append_images=frames[1:])
    for name in ("rocket", "coffee", "chelsea"):
        (tmp_path / f"pile/{name}.jpg").unlink()
    cv2.imwrite(str(tmp_path / "pile/r.png"), pixels["rocket"][..., ::-1])
    collection = tmp_path / "collection"
    ingest([tmp_path / "pile"], into=collection, frames="all")
    mine_duplicates(collection, HASHES)
    plan = tmp_path / "plan.csv"
    make_plan(collection, plan, PlanOptions(keep=("path",)))
    gone = next(row for row in lines(plan).values() if row["action"] == "remove")
    assert gone["uri"].endswith("several.tiff")
    done = apply_plan(collection, plan)
    assert (done.moved, done.marked) == (0, 1)
    assert verify(collection, files=True) == []


def test_what_stays_is_what_the_plan_says_now(pile: Path) -> None:
    """A person swaps keep and remove, and what shall stay is not there."""
    plan = pile / "plan.csv"
    make_plan(pile / "collection", plan)
    text = plan.read_text().replace(",keep,", ",was,").replace(",remove,", ",keep,")
    plan.write_text(text.replace(",was,", ",remove,"))
    (pile / "pile/rocket low.jpg").unlink()
    before = files(pile)
    with pytest.raises(UsageError, match="What is to stay"):
        apply_plan(pile / "collection", plan)
    assert files(pile) == before


def test_new_files_at_the_old_places_are_none_of_an_old_plan(pile: Path) -> None:
    plan, collection = pile / "plan.csv", pile / "collection"
    make_plan(collection, plan)
    first = apply_plan(collection, plan)
    gone = uri_path(next(row["uri"] for row in lines(plan).values() if row["action"] == "remove"))
    shutil.copy(pile / "pile/chelsea.jpg", gone)
    ingest([pile / "pile"], into=collection)
    ok = show(collection).ok
    mine_duplicates(collection, HASHES)
    make_plan(collection, plan, overwrite=True)
    second = apply_plan(collection, plan)
    assert second.folder != first.folder
    assert (second.moved, second.marked) == (1, 1)
    assert undo_plan(collection, second.id).moved == 1
    assert show(collection).ok == ok


def overlapping(pile: Path) -> tuple[Path, Path, Path]:
    """Of the three coffees: a plan that keeps the first, one that keeps the last, one for both."""
    make_plan(pile / "collection", pile / "plan.csv")
    names = [row["row_id"] for name, row in lines(pile / "plan.csv").items() if "coffee" in name]
    plans = []
    for number, going in enumerate(([1], [0, 1], [1, 2])):
        plans.append(pile / f"plan-{number}.csv")
        rows = [f"{name},{'remove' if at in going else 'keep'},1" for at, name in enumerate(names)]
        plans[-1].write_text("\n".join(["row_id,action,group_id", *rows]))
    return plans[0], plans[1], plans[2]


@pytest.mark.parametrize("first_back", [0, 1])
def test_two_plans_for_the_same_pictures_lose_nothing_in_either_order(
    pile: Path, first_back: int
) -> None:
    before, collection = files(pile), pile / "collection"
    one, _, both = overlapping(pile)
    done = [apply_plan(collection, one)]
    shown = show_plan(collection, both)
    assert (shown.remove, shown.already, shown.problems) == (1, 1, ())
    done.append(apply_plan(collection, both))
    assert [(some.moved, some.marked) for some in done] == [(1, 1), (1, 1)]
    assert len(files(pile)) == len(before) - 2
    undo_plan(collection, done[first_back].id)
    assert len(files(pile)) == len(before) - 1
    assert show(collection).failed == 1
    undo_plan(collection, done[1 - first_back].id)
    assert files(pile) == before
    assert show(collection).failed == 0


def test_a_plan_that_keeps_what_another_has_set_aside_is_refused(pile: Path) -> None:
    collection = pile / "collection"
    _, first, second = overlapping(pile)
    done = apply_plan(collection, second)
    before = files(pile)
    with pytest.raises(UsageError, match=f"set aside by another plan.*undo .* {done.id}"):
        apply_plan(collection, first)
    assert files(pile) == before
    undo_plan(collection, done.id)
    assert apply_plan(collection, first).moved == 2


def test_a_plan_waits_for_another_that_was_stopped(
    pile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, collection = files(pile), pile / "collection"
    one, first, _ = overlapping(pile)
    with monkeypatch.context() as patch:
        patch.setattr(plan_module, "_move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            apply_plan(collection, first)
    with pytest.raises(UsageError, match="stopped in the middle, moves 2 of the same"):
        apply_plan(collection, one)
    assert files(pile) == before
    assert apply_plan(collection, first).moved == 2


def test_a_protected_folder_stays_and_policies_decide(pile: Path) -> None:
    plan, other = pile / "plan.csv", file_uri(pile / "pile/other")
    made = make_plan(pile / "collection", plan, PlanOptions(protect=(other,)))
    inside = [row for row in lines(plan).values() if row["uri"].startswith(other)]
    assert {row["action"] for row in inside} == {"keep"}
    assert {row["why"] for row in inside} == {"protected"}
    assert made.remove == 2
    only = PlanOptions(tiers=("bytes",))
    assert make_plan(pile / "collection", plan, only, overwrite=True).remove == 1
    with pytest.raises(UsageError, match="there already"):
        make_plan(pile / "collection", plan)


def test_duplicates_must_have_been_looked_for(tmp_path: Path) -> None:
    photographs(tmp_path / "pile")
    ingest([tmp_path / "pile"], into=tmp_path / "collection")
    with pytest.raises(UsageError, match="not looked for yet"):
        make_plan(tmp_path / "collection", tmp_path / "plan.csv")


def row(name: str, **more: object) -> dict[str, object]:
    same = {"width": 10, "height": 10, "size": 5, "meta_fields": 0, "labels": [], "mtime_ns": 1}
    place = {"row_id": name, "picture_id": name, "uri": name, "member": "", "tier": "reencoded"}
    return {**place, **same, **more}


@pytest.mark.parametrize(
    ("policy", "better"),
    [
        ("resolution", {"width": 11}),
        ("bytes", {"size": 6}),
        ("metadata", {"meta_fields": 2}),
        ("label", {"labels": ["cat"]}),
        ("oldest", {"mtime_ns": 0}),
    ],
)
def test_each_policy_chooses_what_it_says(policy: str, better: dict[str, object]) -> None:
    group = [row("a", tier="middle"), row("b", **better), row("c")]
    found = list(plan_groups([group], PlanOptions(keep=(policy,))))
    assert [one["action"] for one in found] == ["remove", "keep", "remove"]
    assert found[1]["why"] == policy
    assert {one["kept_row_id"] for one in found} == {"b"}


def test_unknown_policies_are_refused() -> None:
    with pytest.raises(UsageError, match="keep must be some of"):
        PlanOptions(keep=("beauty",))
    with pytest.raises(UsageError, match="tiers"):
        PlanOptions(tiers=("scene",))
