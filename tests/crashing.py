"""Targets for decoding processes that go wrong."""

import os

from pixelmine.preprocess.sniff import sniff


def crasher(_options):
    """Dies on `flower.jpg`, hangs on what is no picture."""

    def work(header, data):
        if len(data) == 142987:
            os.abort()
        while sniff(bytes(data)) is None and len(data):
            pass
        yield {"frame": header["frame"], "status": "ok"}, None

    return work


def counter(_options):
    """Says which process was asked, and how often before."""
    asked = 0

    def work(header, data):
        nonlocal asked
        asked += 1
        yield {"frame": header["frame"], "status": "ok", "asked": f"{os.getpid()} {asked}"}, None

    return work
