"""Connections to object stores, by what the stores' own tools read from the environment.

Without credentials a store is asked without a name. The metadata service of a cloud's machine is
asked for credentials only where the environment says that there is one.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pixelmine.core.errors import SourceError

__all__ = ["NAMES", "open_store"]

_CONNECT_S, _SILENCE_S, _ATTEMPTS = 5.0, 10.0, 3
"""S3: a silent server costs a read 30 s. Google: pyarrow lets no one shorten its 120 s."""

NAMES = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN",
}


def open_store(scheme: str, bucket: str) -> Any:
    """The pyarrow file system of a bucket; one for each process and bucket. Raises SourceError."""
    return _open(os.getpid(), scheme, bucket if scheme == "s3" else "")


@lru_cache(maxsize=32)
def _open(process: int, scheme: str, bucket: str) -> Any:  # noqa: ARG001 -- of the key
    try:
        if scheme == "s3":
            return _s3(bucket, os.environ)
        return _gs(os.environ) if scheme == "gs" else _az(os.environ)
    except (ImportError, AttributeError) as error:
        raise SourceError(
            f"This build of pyarrow cannot read {scheme}://. Install pyarrow from PyPI or conda."
        ) from error
    except (OSError, ValueError, NotImplementedError) as error:
        raise SourceError(
            f"No connection for {scheme}:// can be made with what the environment says. Check "
            f"{NAMES[scheme]}."
        ) from error


def _s3(bucket: str, said: Mapping[str, str]) -> Any:
    from pyarrow import fs

    endpoint = _endpoint(said.get("AWS_ENDPOINT_URL_S3") or said.get("AWS_ENDPOINT_URL"))
    region = said.get("AWS_REGION") or said.get("AWS_DEFAULT_REGION")
    if region is None:
        region = "us-east-1" if endpoint else _region(bucket)
    return fs.S3FileSystem(
        anonymous=not _has_aws_credentials(said),
        region=region,
        connect_timeout=_CONNECT_S,
        request_timeout=_SILENCE_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        background_writes=False,
        **endpoint,
    )


def _region(bucket: str) -> str | None:
    """Amazon says where a bucket lies; where it does not answer, listing gives the reason."""
    from pyarrow import fs

    try:
        return str(fs.resolve_s3_region(bucket))
    except OSError:
        return None


def _has_aws_credentials(said: Mapping[str, str]) -> bool:
    names = (
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    )
    if any(said.get(name) for name in names) or said.get("AWS_EC2_METADATA_DISABLED") == "false":
        return True
    file = said.get("AWS_SHARED_CREDENTIALS_FILE")
    return (Path(file) if file else Path.home() / ".aws" / "credentials").is_file()


def _gs(said: Mapping[str, str]) -> Any:
    from pyarrow import fs

    file = Path.home() / ".config" / "gcloud" / "application_default_credentials.json"
    known = said.get("GOOGLE_APPLICATION_CREDENTIALS") or said.get("GCE_METADATA_HOST")
    return fs.GcsFileSystem(
        anonymous=not known and not file.is_file(),
        retry_time_limit=timedelta(seconds=_SILENCE_S),
        **_endpoint(said.get("STORAGE_EMULATOR_HOST")),
    )


def _az(said: Mapping[str, str]) -> Any:
    from pyarrow import fs

    account = said.get("AZURE_STORAGE_ACCOUNT") or said.get("AZURE_STORAGE_ACCOUNT_NAME")
    if not account:
        raise SourceError("az:// needs the name of the storage account in AZURE_STORAGE_ACCOUNT.")
    key = said.get("AZURE_STORAGE_KEY") or said.get("AZURE_STORAGE_ACCOUNT_KEY")
    token = None if key else said.get("AZURE_STORAGE_SAS_TOKEN")
    local = _endpoint(said.get("AZURE_STORAGE_ENDPOINT"))
    more = {}
    if local:
        more = {
            f"{kind}_storage_{part}": local[name]
            for kind in ("blob", "dfs")
            for part, name in (("authority", "endpoint_override"), ("scheme", "scheme"))
        }
    return fs.AzureFileSystem(account_name=account, account_key=key, sas_token=token, **more)


def _endpoint(url: str | None) -> dict[str, str]:
    """`scheme` and `endpoint_override` of a URL such as http://127.0.0.1:9000."""
    if not url:
        return {}
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an endpoint must be http://HOST:PORT or https://HOST")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return {"scheme": parts.scheme, "endpoint_override": host + port + parts.path.rstrip("/")}
