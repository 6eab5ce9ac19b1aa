"""The judged pairs of a collection, kept: adding pictures does not redo the old ones."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.ids import digest_json
from pixelmine.core.progress import Progress
from pixelmine.engine import EngineOptions
from pixelmine.evaluate import read_hashes
from pixelmine.features.pdq_turned import TURNS
from pixelmine.index import near_pair_blocks
from pixelmine.index.hamming_engine import near_pairs_by_engine
from pixelmine.mine.duplicates import (
    DuplicateOptions,
    Join,
    alike_candidates,
    hash_candidates,
)
from pixelmine.mine.groups import stars
from pixelmine.mine.pairs import (
    COPIES,
    DIFFERENT,
    PAIRS,
    PIXELS,
    REENCODED,
    RULES,
    SCENE,
    Evidence,
    by_alignment,
    by_overlay,
)
from pixelmine.store import Collection

from .found import find, read_found
from .looks import Looks, judged
from .pile import embed

__all__ = ["Judged", "copies_of", "judge_pairs", "strength"]

_SAME_BITS = 6
"""Two files of the same pixels have the same hash, but for what a scaled decode changes."""
_SAME_LEVELS = 0.5
_MIRROR = 0.9
"""Cosine from which an edited copy may be mirrored too: embeddings hardly tell left from right,
and a picture that is only mirrored is found by its hash."""
_CLOSURE = 8
"""Pairs at second hand, for each pair at first hand, that are looked at."""

_SEEN = pa.schema([pa.field("picture_id", pa.string(), nullable=False)])


@dataclass(frozen=True, kw_only=True)
class Judged:
    """N different pictures and what was found of their pairs.

    `rows`: as `read_pictures` gives them. `pairs`: PAIRS. `looked_at`: pairs that were judged now.
    `unreadable`: pictures that could not be looked at. `added`: pictures that were new.
    """

    rows: pa.Table = field(repr=False)
    pairs: pa.Table = field(repr=False)
    looked_at: int
    unreadable: int
    added: int

    def places(self) -> np.ndarray:
        """int64 (P, 2): the places in `rows` of the pairs."""
        names = self.rows["picture_id"].combine_chunks()
        return np.stack(
            [
                pc.index_in(self.pairs[side], value_set=names).to_numpy()
                for side in ("first", "second")
            ],
            axis=1,
        ).astype(np.int64)


def judge_pairs(
    collection: Collection,
    rows: pa.Table,
    options: DuplicateOptions,
    model: tuple[str, str],
    engine: EngineOptions,
    progress: Progress,
) -> Judged:
    """Judge the pairs of these pictures, as `read_pictures` gives them, that are not known yet.

    `model`: its name and its embedding's digest.
    """
    asked = {"options": digest_json(asdict(options)), "model": model[1], "rules": RULES}
    names = rows["picture_id"].combine_chunks()
    known, new = _known(collection, asked, names)
    judge = _Judge(collection, rows, options, model[0], engine, progress, known, new)
    pairs = judge.pairs()
    if new.any() or known.num_rows != pairs.num_rows:
        # The pairs first: a killed run then judges again what it does not know it has judged.
        find(collection, "duplicate-pairs", {**asked, "made": _of(pairs)}, lambda: (asked, pairs))
        # What could not be read this time is looked at again next time.
        lost = pa.array(sorted(judge.looks.unreadable), pa.int64())
        read = pc.invert(pc.is_in(pa.array(range(len(names)), pa.int64()), value_set=lost))
        seen = pa.table({"picture_id": names.filter(read)}, _SEEN)
        find(collection, "duplicate-pictures", {**asked, "made": _of(seen)}, lambda: (asked, seen))
    return Judged(
        rows=rows,
        pairs=pairs,
        looked_at=judge.looked_at,
        unreadable=len(judge.looks.unreadable),
        added=int(new.sum()),
    )


def copies_of(
    judged: Judged, apart: set[tuple[str, str]] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The middle of each of N pictures, int64 (N,), and the pair that ties each to it, int64 (N,).

    A place in the table of pairs, or -1. `apart`: pairs of picture_ids that somebody said are none.
    """
    table, places = judged.pairs, judged.places()
    kept = np.isin(np.array(table["kind"].to_pylist(), object), COPIES)
    if apart:
        both = zip(table["first"].to_pylist(), table["second"].to_pylist(), strict=True)
        kept &= np.array([pair not in apart for pair in both], bool)
    number = np.flatnonzero(kept)
    sure = strength(table.take(number))
    middle, by = tie(judged.rows, places[number], sure, number)
    return _kept_apart(judged.rows, middle, by, table, apart or set())


def _kept_apart(
    rows: pa.Table,
    middle: np.ndarray,
    by: np.ndarray,
    table: pa.Table,
    apart: set[tuple[str, str]],
) -> tuple[np.ndarray, np.ndarray]:
    """Of two members of a group that are none of each other, the less sure stands alone."""
    if not apart:
        return middle, by
    names = rows["picture_id"].to_pylist()
    at = {name: place for place, name in enumerate(names)}
    sure = strength(table)
    for pair in sorted(apart):
        if not all(name in at for name in pair):
            continue
        one, other = (at[name] for name in pair)
        if middle[one] == middle[other] and by[one] >= 0 and by[other] >= 0:
            out = one if sure[by[one]] < sure[by[other]] else other
            middle[out], by[out] = out, -1
    return middle, by


def tie(
    rows: pa.Table, places: np.ndarray, sure: np.ndarray, number: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Stars of `places`, int64 (P, 2), numbered by `number`: see `copies_of`."""
    n = rows.num_rows
    total = np.bincount(places.ravel(), np.repeat(sure, 2), minlength=n)
    middle = stars(n, places, sure, total + _rank(rows))
    by = np.full(n, -1)
    at = {(int(a), int(b)): int(m) for (a, b), m in zip(places, number, strict=True)}
    for place in np.flatnonzero(middle != np.arange(n)).tolist():
        other = int(middle[place])
        by[place] = at[(place, other) if place < other else (other, place)]
    return middle, by


def strength(pairs: pa.Table) -> np.ndarray:
    """How surely each pair is one, float64 (P,): by kind, then by what agrees."""
    kinds = {name: 10.0 * (len(COPIES) - rank) for rank, name in enumerate(COPIES)}
    by_kind = np.array([kinds.get(kind, 0.0) for kind in pairs["kind"].to_pylist()])
    agrees = pc.fill_null(pairs["correlation"], pc.cast(pairs["cosine"], pa.float32()))
    points = pc.fill_null(pairs["inliers"], 500).to_numpy().astype(np.float64)
    bits = pc.fill_null(pairs["bits"], 0).to_numpy() / 256
    return np.asarray(
        by_kind + pc.fill_null(agrees, 0.0).to_numpy() + np.minimum(points, 500) / 1000 - bits
    )


class _Judge:
    """One run: candidates by hash, then by embedding, then what is tied at second hand."""

    def __init__(
        self,
        collection: Collection,
        rows: pa.Table,
        options: DuplicateOptions,
        model: str,
        engine: EngineOptions,
        progress: Progress,
        known: pa.Table,
        new: np.ndarray,
    ) -> None:
        self.collection, self.rows, self.options = collection, rows, options
        self.model, self.engine, self.progress = model, engine, progress
        self.names = rows["picture_id"].combine_chunks()
        self.new = new
        self.looks = Looks(rows, collection.bytes)
        self.looked_at = 0
        at = [pc.index_in(known[side], value_set=self.names) for side in ("first", "second")]
        self.found: dict[tuple[int, int], dict[str, Any]] = {
            (i, j): row
            for i, j, row in zip(
                at[0].to_pylist(), at[1].to_pylist(), known.to_pylist(), strict=True
            )
        }

    def pairs(self) -> pa.Table:
        """PAIRS, sorted."""
        if self.new.any():
            self._by_hash()
            if self.options.edited or self.options.scene is not None:
                self._by_embedding()
        rows = [self.found[pair] for pair in sorted(self.found)]
        return pa.Table.from_pylist(rows, PAIRS)

    def _by_hash(self) -> None:
        hashes = read_hashes(self.collection, self.names.to_pylist())
        if hashes is None:
            return
        places = pc.index_in(
            pa.array(hashes.pictures, pa.string()), value_set=self.names
        ).to_numpy()
        turns = self.options.turns(len(places))
        self.progress.start("compare hashes")
        with self._join() as join:
            found = hash_candidates(
                hashes.hashes, hashes.small, self.new[places], self.options.radius, turns, join
            )
        pairs = places[found.pairs]
        listed = list(zip(pairs.tolist(), found.bits.tolist(), found.turn.tolist(), strict=True))
        items = [listed[place] for place in _nearby(pairs)]
        self.progress.start("look at near hashes", len(items))
        judge = judged(items, self._judge_hash, self.progress)
        for ((i, j), bits, _), evidence in zip(items, judge, strict=True):
            self._note(i, j, evidence, found_by="hash", bits=bits)
        self.progress.finish()

    @contextmanager
    def _join(self) -> Iterator[Join]:
        """On this machine the join takes all cores itself; a cluster gets it in pieces."""
        if self.engine.name != "ray":
            yield near_pair_blocks
            return

        def join(
            hashes: np.ndarray, radius: int, *, others: np.ndarray | None = None
        ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            with tempfile.TemporaryDirectory(dir=self.collection.path, prefix=".join-") as folder:
                yield from near_pairs_by_engine(
                    hashes, radius, others=others, folder=Path(folder), engine=self.engine
                )

        yield join

    def _judge_hash(self, item: tuple[list[int], int, int]) -> Evidence | None:
        (i, j), bits, turn = item
        first, second = self.looks.at(i), self.looks.at(j)
        if first is None or second is None:
            return None
        evidence = by_overlay(first, second, TURNS[turn])
        if evidence.kind == DIFFERENT:
            aligned = by_alignment(first, second)
            return aligned if aligned is not None and aligned.kind != DIFFERENT else evidence
        if evidence.kind == REENCODED and bits <= _SAME_BITS and self._may_be_same(i, j, evidence):
            return Evidence(**{**asdict(evidence), "kind": PIXELS})
        return evidence

    def _may_be_same(self, i: int, j: int, evidence: Evidence) -> bool:
        sizes = [
            sorted((self.rows["width"][place].as_py(), self.rows["height"][place].as_py()))
            for place in (i, j)
        ]
        alike = evidence.levels is not None and evidence.levels <= _SAME_LEVELS
        return alike and sizes[0] == sizes[1] and self.looks.same_pixels(i, j)

    def _by_embedding(self) -> None:
        """One of each group that the hashes have tied stands for it."""
        embedded = embed(self.collection, self.model, engine=self.engine, progress=self.progress)
        places = pc.index_in(embedded.rows["picture_id"], value_set=self.names)
        here = pc.is_valid(places).to_numpy()
        at, vectors = pc.drop_null(places).to_numpy().astype(np.int64), embedded.vectors[here]
        row_of = np.full(len(self.names), -1)
        row_of[at] = np.arange(len(at))
        middle, _ = self._tied()
        stands = np.flatnonzero((middle == np.arange(len(middle))) & (row_of >= 0))
        options = self.options
        least = min(options.alike if options.edited else 1.0, options.scene or 1.0)
        self.progress.start("compare embeddings")
        pairs, cosines = alike_candidates(
            vectors[row_of[stands]], self.new[stands], options.neighbours, least
        )
        known = [(int(stands[i]), int(stands[j])) for i, j in pairs]
        items = [
            (pair, float(cosine))
            for pair, cosine in zip(known, cosines, strict=True)
            if pair not in self.found
        ]
        self._look_at(items)
        if options.edited:
            self._close(vectors, row_of)

    def _look_at(self, items: Sequence[tuple[tuple[int, int], float]]) -> None:
        ends = np.array([pair for pair, _ in items], np.int64).reshape(-1, 2)
        items = [items[place] for place in _nearby(ends)]
        self.progress.start("look at alike pictures", len(items))
        for (pair, cosine), evidence in zip(
            items, judged(items, self._judge_alike, self.progress), strict=True
        ):
            scene = self.options.scene is not None and cosine >= self.options.scene
            if evidence is None and scene:
                evidence = Evidence(kind=SCENE, correlation=0.0, colour=None)
            elif evidence is not None and evidence.kind == DIFFERENT and scene:
                evidence = Evidence(**{**asdict(evidence), "kind": SCENE})
            self._note(*pair, evidence, found_by="embedding", cosine=cosine)
        self.progress.finish()

    def _judge_alike(self, item: tuple[tuple[int, int], float]) -> Evidence | None:
        (i, j), cosine = item
        if not self.options.edited or cosine < self.options.alike:
            return None
        first, second = self.looks.at(i), self.looks.at(j)
        if first is None or second is None:
            return None
        turned = len(self.options.turns(len(self.names))) > 1
        return by_alignment(first, second, mirror=turned and cosine >= _MIRROR)

    def _close(self, vectors: np.ndarray, row_of: np.ndarray) -> None:
        """What a member of a group resembles, its middle may too: then it belongs to the group."""
        middle, _ = self._tied()
        wanted = set()
        for i, j in self._copies():
            for one, other in ((i, j), (j, i)):
                at = int(middle[one])
                pair = (min(at, other), max(at, other))
                if at not in (one, other) and middle[other] != at and pair not in self.found:
                    wanted.add(pair)
        few = sorted(wanted)[: _CLOSURE * max(1, len(self._copies()))]
        items = []
        for i, j in few:
            a, b = row_of[i], row_of[j]
            cosine = float(vectors[a] @ vectors[b]) if a >= 0 and b >= 0 else 0.0
            items.append(((i, j), max(cosine, self.options.alike)))
        if items:
            self._look_at(items)

    def _copies(self) -> list[tuple[int, int]]:
        return [pair for pair, row in self.found.items() if row["kind"] in COPIES]

    def _tied(self) -> tuple[np.ndarray, np.ndarray]:
        copies = self._copies()
        table = pa.Table.from_pylist([self.found[pair] for pair in copies], PAIRS)
        places = np.array(copies, np.int64).reshape(-1, 2)
        return tie(self.rows, places, strength(table), np.arange(len(copies)))

    def _note(self, i: int, j: int, evidence: Evidence | None, **how: Any) -> None:
        self.looked_at += 1
        if evidence is None:  # nothing lay over anything: that is not kept, there are too many
            return
        names = {"first": self.names[i].as_py(), "second": self.names[j].as_py()}
        self.found[i, j] = {**names, **asdict(evidence), **how}


def _known(
    collection: Collection, asked: dict[str, Any], names: pa.Array
) -> tuple[pa.Table, np.ndarray]:
    """The pairs that were judged as is asked now, and which pictures are to be looked at.

    These are the ones that were no part of it, and those that were tied to a picture that is gone:
    what one middle tied together was perhaps never compared with each other.
    """
    seen, pairs = (
        read_found(collection, "duplicate-pictures"),
        read_found(collection, "duplicate-pairs"),
    )
    if seen is None or pairs is None or not seen.summary == pairs.summary == asked:
        return PAIRS.empty_table(), np.ones(len(names), bool)
    rows = pairs.rows
    first, second = (pc.is_in(rows[side], value_set=names) for side in ("first", "second"))
    tied = rows.filter(pc.is_in(rows["kind"], value_set=pa.array([*COPIES, SCENE])))
    left = pa.concat_arrays([tied[side].combine_chunks() for side in ("first", "second")])
    gone = [pc.invert(pc.is_in(tied[side], value_set=names)) for side in ("second", "first")]
    bereft = left.filter(pa.concat_arrays([one.combine_chunks() for one in gone]))
    unseen = pc.invert(pc.is_in(names, value_set=seen.rows["picture_id"].combine_chunks()))
    new = pc.or_(unseen, pc.is_in(names, value_set=bereft))
    return rows.filter(pc.and_(first, second)).cast(PAIRS), new.to_numpy(zero_copy_only=False)


def _nearby(ends: np.ndarray) -> np.ndarray:
    """An order in which a picture's pairs come close together, so that it stays at hand."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    if len(ends) == 0:
        return np.empty(0, np.int64)
    n = int(ends.max()) + 1
    graph = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(n, n))
    rank = np.empty(n, np.int64)
    rank[reverse_cuthill_mckee((graph + graph.T).tocsr(), symmetric_mode=True)] = np.arange(n)
    ranks = np.sort(rank[ends], axis=1)
    return np.lexsort((ranks[:, 1], ranks[:, 0]))


def _rank(rows: pa.Table) -> np.ndarray:
    """Below 1e-3: of several as good the picture with most pixels is the middle of a group."""
    pixels = pc.multiply(
        pc.cast(rows["width"], pa.float64()), pc.cast(rows["height"], pa.float64())
    )
    size = pc.fill_null(pc.cast(rows["size"], pa.float64()), 0.0)
    return np.asarray((pc.fill_null(pixels, 0.0).to_numpy() + size.to_numpy() / 2**50) / 2**50)


def _of(rows: pa.Table) -> str:
    """A digest of a table's names: what it was made of, said shortly."""
    return digest_json([rows.num_rows, *_names(rows)])


def _names(rows: pa.Table) -> Iterator[str]:
    for name in ("picture_id", "first", "second", "kind"):
        if name in rows.column_names:
            yield digest_json(rows[name].to_pylist())
