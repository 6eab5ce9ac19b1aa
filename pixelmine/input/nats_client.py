"""The NATS client, imported on use, and its first connection."""

import asyncio
from typing import Any

from pixelmine.core.errors import SourceError, UsageError

from .stream import Address

__all__ = ["connect", "library"]


def library() -> Any:
    """The package `nats`. Raises UsageError where it is missing."""
    try:
        import nats
        import nats.js.api
        import nats.js.errors
    except ImportError:
        raise UsageError("nats:// needs an extra: pip install 'pixelmine[streams]'.") from None
    return nats


async def connect(nats: Any, address: Address, uri: str, timeout_s: float) -> Any:
    """Connect once; what goes wrong later is tried again by the client itself, without an end.

    `uri`: what an error may say of the address. Raises SourceError.
    """
    client, failed = nats.NATS(), asyncio.get_running_loop().create_future()

    async def note(error: Exception) -> None:
        if not failed.done():
            failed.set_result(error)

    token = address.user if address.password is None else None
    connecting = asyncio.create_task(
        client.connect(
            address.place,
            error_cb=note,
            connect_timeout=int(timeout_s),
            reconnect_time_wait=1,
            max_reconnect_attempts=-1,
            user=address.user if token is None else None,
            password=address.password,
            token=token,
        )
    )
    done, _ = await asyncio.wait({connecting, failed}, return_when=asyncio.FIRST_COMPLETED)
    if connecting in done:
        error = connecting.exception()
    else:
        error = failed.result()
        connecting.cancel()
        await asyncio.wait({connecting})
        await client.close()
    if error is not None:
        raise SourceError(
            f"No connection to {uri}: {error}. Check that NATS runs there, and the user "
            "and password."
        ) from error
    return client
