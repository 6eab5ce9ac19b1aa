"""What was measured of a collection's pictures when they were ingested."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pixelmine.core.errors import CollectionError
from pixelmine.features import FEATURES
from pixelmine.store import Collection

__all__ = ["measures_of", "read_measures"]


def measures_of(collection: Collection, pictures: Sequence[str]) -> dict[str, np.ndarray]:
    """All measures of these pictures, by name, float64 (N,), NaN where there are none.

    Those of the surface (`noise`, `border`, `text`) are left out where the collection has none.
    Raises CollectionError as `read_measures` does.
    """
    known = [read_measures(collection, pictures), _read(collection, "surface", pictures)]
    return {
        name: table[name].to_numpy().astype(np.float64)
        for table in known
        if table is not None
        for name in table.column_names
    }


def read_measures(collection: Collection, pictures: Sequence[str]) -> pa.Table:
    """The measures of these pictures, in their order, nulls where there are none.

    Columns: see `features.measures.Measures`. Raises CollectionError where there are none at all.
    """
    found = _read(collection, "measures", pictures)
    if found is None:
        raise CollectionError(
            f"{collection.path} holds no measures of its pictures. Ingest them again."
        )
    return found


def _read(collection: Collection, name: str, pictures: Sequence[str]) -> pa.Table | None:
    feature = FEATURES.get(name)()
    found = collection.feature(feature.producer, feature.fields).read()
    if found.num_rows == 0:
        return None
    wanted = pa.array(pictures, pa.string())
    at = pc.index_in(wanted, value_set=found["picture_id"].combine_chunks())
    return found.select([f.name for f in feature.fields]).combine_chunks().take(at)
