import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixelmine.preprocess.quiet import quiet


def test_inside_nothing_is_heard_and_afterwards_all_is():
    with quiet():
        with quiet():
            warnings.warn("unheard", UserWarning, stacklevel=1)
        warnings.warn("unheard, though one has left", UserWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", UserWarning, stacklevel=1)


def test_an_error_leaves_it():
    before = list(warnings.filters)
    with pytest.raises(ValueError, match="inside"), quiet():
        raise ValueError("inside")
    assert warnings.filters == before


def test_threads_that_overlap_leave_the_filters_as_they_were(photo, encode, look):
    before, data = list(warnings.filters), encode(photo[:200, :200], "PNG")
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda _: look(data), range(100)):
            pass
    assert warnings.filters == before
