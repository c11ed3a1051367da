"""S3-like storage, by boto3 (extra ``s3``), which finds keys, region and address in its own ``AWS_...`` variables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from recommender.lifecycle.object_store import StoredObject, StoreError, UnusableCopyError

# Timeout in seconds of each try.
CONNECT_SECONDS, READ_SECONDS, TRIES = 5, 20, 2
_BLOCK = 1 << 18


class S3Store:
    """The objects in ``address``, such as ``s3://bucket/folder``; see ``ObjectStore``.

    Everything happens in the calling thread, in blocks, so that other threads can serve requests.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._address, self._bucket = address, parts.netloc
        self._folder = f"{folder}/" if (folder := parts.path.strip("/")) else ""

    def __str__(self) -> str:
        return self._address

    def put(self, file: Path, key: str) -> None:
        """See ``ObjectStore``."""
        from boto3.s3.transfer import TransferConfig

        with self._named():
            self._client.upload_file(
                str(file), self._bucket, self._folder + key, Config=TransferConfig(use_threads=False)
            )

    def get(self, key: str, file: Path, limit: int) -> None:
        """See ``ObjectStore``."""
        with self._named(), file.open("wb") as into:
            with closing(self._client.get_object(Bucket=self._bucket, Key=self._folder + key)["Body"]) as body:
                left = limit
                while block := body.read(_BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise UnusableCopyError(f"{self}/{key}: more than {limit} bytes")
                    into.write(block)
            into.flush()
            os.fsync(into.fileno())

    def has(self, key: str) -> bool:
        """See ``ObjectStore``."""
        with self._named():
            # Unlike HEAD, this distinguishes a missing bucket from a missing object.
            listing = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._folder + key, MaxKeys=1)
        return any(entry["Key"] == self._folder + key for entry in listing.get("Contents", []))

    def objects(self) -> Iterator[StoredObject]:
        """See ``ObjectStore``."""
        with self._named():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._folder)
            for page in pages:
                for entry in page.get("Contents", []):
                    yield StoredObject(entry["Key"].removeprefix(self._folder), entry["LastModified"])

    def delete(self, key: str) -> None:
        """See ``ObjectStore``."""
        with self._named():
            # One by one: deleting several at once requires a checksum on some storages that others do not know.
            self._client.delete_object(Bucket=self._bucket, Key=self._folder + key)

    @cached_property
    def _client(self) -> Any:
        import boto3.session
        from botocore.config import Config

        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            # Files have checksums of their own, and not every S3-like storage knows these.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return boto3.session.Session().client("s3", config=config)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn the library's errors into ours."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ClientError as error:
            is_missing = error.response.get("Error", {}).get("Code") == "NoSuchKey"
            kind = UnusableCopyError if is_missing else StoreError
            raise kind(f"{self}: {error}") from error
        except (BotoCoreError, Boto3Error, HTTPError, ValueError) as error:
            raise StoreError(f"{self}: {error}") from error
