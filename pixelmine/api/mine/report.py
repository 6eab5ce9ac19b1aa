"""All that mining finds in a collection, on one page."""

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pixelmine.api.collection import show
from pixelmine.core import OK, PassPolicy, Policy
from pixelmine.core.errors import CollectionError, ModelError, SourceError, UsageError
from pixelmine.core.progress import Progress, SilentProgress
from pixelmine.evaluate.report import write_text
from pixelmine.evaluate.report_file import check_form
from pixelmine.evaluate.texts import Language
from pixelmine.mine.page import MiningPage, Pile, Thumbnail, render
from pixelmine.mine.page_markdown import to_markdown
from pixelmine.mine.page_texts import text
from pixelmine.mine.section import Section
from pixelmine.store import Collection

from .found import cleared, read_found
from .report_pictures import shown_names, thumbnails

__all__ = ["STEPS", "MiningReport", "Step", "mine_report"]

Made = tuple[Section, dict[str, Any]]
"""A finding as a section, and its summary."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One finding of the report.

    `call`: `module:function(path, policy=, any_options=, progress=)`, whose answer has the Found as
    `found`, and a `summary` where it has more than one.
    `section`: `module:function(answer, language=)`. `titles`: by language, for where it is left
    out. `only_found`: taken where it was looked for before, and never made for the report: then
    `call` is `module:function(found=, rows=)`, of the finding and its cleared table.
    """

    name: str
    call: str
    section: str
    titles: Mapping[Language, str]
    only_found: bool = False

    @property
    def is_there(self) -> bool:
        """Whether this Pixelmine has it."""
        return all(find_spec(one.partition(":")[0]) for one in (self.call, self.section))

    def make(self, path: Path, policy: Policy, language: Language, progress: Progress) -> Made:
        """Find, or take what is known, with whatever options, of a collection as it is now.

        Raises UsageError, CollectionError.
        """
        answer = (
            _known(self, path, policy)
            if self.only_found
            else _function(self.call)(path, policy=policy, any_options=True, progress=progress)
        )
        section = _function(self.section)(answer, language=language)
        if own := answer.found.own:
            said = ", ".join(
                f"{name} = {_said(value)}" for name, value in own.items() if value != ""
            )
            note = text(language, "own_options", made=answer.found.made, options=said)
            section = replace(section, notes=[note, *section.notes])
        return section, dict(getattr(answer, "summary", answer.found.summary))


def _said(value: Any) -> str:
    """An option as a person reads it; of a digest the first digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
        return value[:12]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _step(name: str, english: str, chinese: str, known: str | None = None) -> Step:
    """`known`: of one that is not made for the report, what is called with the finding."""
    of = name.replace("-", "_")
    module = f"pixelmine.api.mine.{of}"
    return Step(
        name=name,
        call=f"{module}:{known or f'mine_{of}'}",
        section=f"{module}_section:section",
        titles={"en": english, "zh": chinese},
        only_found=known is not None,
    )


STEPS: tuple[Step, ...] = (
    _step("duplicates", "Duplicates", "重复图片"),
    _step("quality", "Quality", "图片质量"),
    _step("outliers", "Outliers", "离群图片"),
    _step("label-errors", "Label errors", "标注错误"),
    _step("clusters", "Clusters", "聚类"),
    _step("associations", "Associations", "关联"),
    _step("drift", "Drift", "漂移", known="MinedDrift"),
)
"""In the order of the page: what is twice, what is bad, what is strange, then what is in it."""


@dataclass(frozen=True, kw_only=True)
class MiningReport:
    """`report`: the file; None where none was asked for. `findings`: summaries, by name.

    `skipped`: findings that were not made, with a sentence why. `pictures`: shown on the page.
    """

    report: Path | None
    page: MiningPage = field(repr=False)
    findings: dict[str, dict[str, Any]]
    skipped: dict[str, str]

    @property
    def pictures(self) -> int:
        """How many different rows the page shows."""
        return len(self.page.thumbnails)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "report": str(self.report) if self.report else None,
            "made": self.page.made,
            "pile": {**asdict(self.page.pile), "good": self.page.pile.good},
            "findings": self.findings,
            "skipped": self.skipped,
        }

    def notes(self) -> list[str]:
        """What was not looked for."""
        return [f"Not in the report: {name}. {why}" for name, why in self.skipped.items()]


def mine_report(
    path: str | Path,
    report: str | Path | None = None,
    *,
    language: Language = "en",
    policy: Policy | None = None,
    progress: Progress | None = None,
    steps: Sequence[Step] = STEPS,
) -> MiningReport:
    """Look for everything in a collection that was not looked for yet, and write it down.

    What was found with other options stays and is shown, with those, while the pictures, labels and
    decisions are those it was made of.

    `report`: `.html` (one page that needs nothing else), `.md` or `.json`; None writes nothing.
    A finding that cannot be made, as label errors without labels, is left out with a sentence.
    Raises UsageError, CollectionError, OutputError.
    """
    check_form(report)
    path, policy, progress = Path(path), policy or PassPolicy(), progress or SilentProgress()
    out = Path(report) if report is not None else None
    pile = _pile(path)
    sections, findings, skipped = _found(path, steps, policy, language, progress)
    with Collection.open(path) as collection:
        pictures: dict[str, Thumbnail] = {}
        names: dict[str, str] = {}
        if out is not None and out.suffix.lower() == ".html":
            pictures = thumbnails(collection, sections, policy, progress)
        elif out is not None:
            names = shown_names(collection, sections, policy)
    titles = {step.name: step.titles[language] for step in steps}
    page = MiningPage(
        title=path.absolute().name.removesuffix(".pixels"),
        pile=pile,
        sections=sections,
        thumbnails=pictures,
        names=names or {row: one.name for row, one in pictures.items()},
        skipped={titles[name]: why for name, why in skipped.items()},
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        about=_about(path, language),
        language=language,
    )
    result = MiningReport(report=out, page=page, findings=findings, skipped=skipped)
    if out is not None:
        write_text(out, _as_text(out, result))
    return result


def _as_text(out: Path, result: MiningReport) -> str:
    match out.suffix.lower():
        case ".html":
            return render(result.page)
        case ".md":
            return to_markdown(result.page)
        case _:
            return json.dumps(result.to_dict(), ensure_ascii=False, indent=1, default=str) + "\n"


def _found(
    path: Path, steps: Sequence[Step], policy: Policy, language: Language, progress: Progress
) -> tuple[list[Section], dict[str, dict[str, Any]], dict[str, str]]:
    wanted = [step for step in steps if step.is_there]
    sections, findings, skipped = [], {}, {}
    for number, step in enumerate(wanted, 1):
        if step.only_found and not _is_known(path, step.name):
            continue
        told = _Told(progress, f"{step.name} ({number} of {len(wanted)})")
        try:
            section, findings[step.name] = step.make(path, policy, language, told)
        except (UsageError, CollectionError, ModelError, SourceError) as error:
            skipped[step.name] = str(error)
        else:
            sections.append(_typed(section, path))
    return sections, findings, skipped


def _typed(section: Section, path: Path) -> Section:
    """Its commands with the collection's path, as they can be typed."""
    where = shlex.quote(str(path))
    return replace(section, commands=[one.replace("COLLECTION", where) for one in section.commands])


def _is_known(path: Path, name: str) -> bool:
    with Collection.open(path) as collection:
        return read_found(collection, name) is not None


def _known(step: Step, path: Path, policy: Policy) -> Any:
    with Collection.open(path) as collection:
        found = read_found(collection, step.name)
    if found is None:
        raise CollectionError(f"{path} has no finding {step.name}.")
    return _function(step.call)(found=found, rows=cleared(found.rows, policy))


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def _pile(path: Path) -> Pile:
    counts = show(path)
    with Collection.open(path) as collection:
        sizes = collection.images.read(["width", "height"], f"status = '{OK}'")
    smallest, usual, largest = _extremes(sizes)
    return Pile(
        pictures=counts.pictures,
        different=counts.different,
        bytes=counts.bytes,
        failed=counts.reasons,
        formats=counts.formats,
        labelled=counts.labelled,
        labels=counts.labels,
        groups=counts.groups,
        smallest=smallest,
        usual=usual,
        largest=largest,
    )


def _extremes(sizes: pa.Table) -> list[tuple[int, int] | None]:
    """Width and height of the pictures with the least, the median and the most pixels."""
    width, height = (sizes[name].to_numpy() for name in ("width", "height"))
    order = np.argsort(width.astype(np.int64) * height, kind="stable")
    if not len(order):
        return [None] * 3
    return [(int(width[at]), int(height[at])) for at in order[[0, (len(order) - 1) // 2, -1]]]


def _about(path: Path, language: Language) -> dict[str, str]:
    from pixelmine import __version__

    return {
        "Pixelmine": __version__,
        text(language, "command"): f"pixelmine mine report {shlex.quote(str(path))}",
    }


class _Told:
    """Says which finding a phase belongs to."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._name = progress, name
        self.advance, self.behind = progress.advance, progress.behind
        self.finish = progress.finish

    def start(self, phase: str, total: int | None = None) -> None:
        """Begin a phase of this finding."""
        self._progress.start(f"{self._name}: {phase}", total)

    def note(self, text: str) -> None:
        """Say one line that stays."""
        self._progress.note(text)
