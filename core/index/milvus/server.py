"""A Milvus server, or a file of milvus-lite: the one place that knows pymilvus."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from core.errors import IndexServerError

DEFAULT_PORT = 19530
TIMEOUT = 20.0  # seconds for one answer
BATCH = 1000  # rows with vectors in one message: some 1.5 MB
PAGE = 16_000  # rows without vectors in one answer; Milvus gives 16,384

LITE = {"LOCK", "collections"}  # in every folder of milvus-lite's

T = TypeVar("T")


@dataclass(frozen=True)
class Address:
    """Where Milvus is; as text without the password."""

    uri: str  # a server's, or the path of milvus-lite's file
    token: str = field(default="", repr=False)  # "user:password"
    database: str = ""  # "": the server's own choice

    @staticmethod
    def of(text: str) -> Address:
        """Of milvus[+tls]://[user:password@]host[:port][/database], or milvus:file.db."""
        scheme, _, rest = text.partition(":")
        if not rest.startswith("//"):
            return Address(str(Path(rest).expanduser().absolute()))
        parts = urlsplit(text)
        protocol = "https" if scheme.endswith("+tls") else "http"
        user = unquote(parts.netloc.rpartition("@")[0])
        uri = f"{protocol}://{parts.hostname}:{parts.port or DEFAULT_PORT}"
        return Address(uri, user, parts.path.strip("/"))

    @property
    def file(self) -> Path | None:
        """Of milvus-lite, which makes a folder of it; None of a server."""
        return None if "://" in self.uri else Path(self.uri)

    @property
    def is_missing(self) -> bool:
        """Whether it is a file that nobody wrote yet: to open one makes it."""
        return self.file is not None and not self.file.exists()

    @property
    def remedy(self) -> str:
        """Where it does not answer."""
        return "let no other process use the file at the same time" if self.file else "start it"

    def refuse_other_things(self) -> None:
        """Before milvus-lite writes beside them.

        Raises:
            IndexServerError: the file cannot be one of milvus-lite's.
            OSError: it cannot be looked at.
        """
        if self.file is None:
            return
        if not self.file.parent.is_dir():
            raise IndexServerError(
                f"{self.file.parent} is not a folder; make it, or correct LOOKALIKE_INDEX"
            )
        has = {entry.name for entry in self.file.iterdir()} if self.file.is_dir() else set()
        if self.file.is_file() or (has and not has & LITE):
            raise IndexServerError(
                f"{self.file} is something else than an index in Milvus; correct LOOKALIKE_INDEX"
            )

    def __str__(self) -> str:
        """For messages."""
        place = f"{self.uri}/{self.database}" if self.database else self.uri
        return f"Milvus at {place}"


class Database:
    """The collections at one address; every fault is an IndexServerError."""

    def __init__(self, address: Address) -> None:
        """Connect.

        Raises:
            IndexServerError: pymilvus is not installed, or nobody answers.
        """
        try:
            import pymilvus
        except ImportError as error:
            raise IndexServerError(
                "LOOKALIKE_INDEX names Milvus, and pymilvus is not installed; run"
                " python -m pip install -r requirements-milvus.txt"
            ) from error
        for name in ("pymilvus", "milvus_lite"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what they tell is raised too
        self.address = address
        self._pymilvus = pymilvus
        self._asked(address.refuse_other_things)
        options = {"token": address.token, "db_name": address.database, "timeout": TIMEOUT}
        self._client: Any = self._asked(pymilvus.MilvusClient, address.uri, **options)

    def _asked(self, function: Any, *args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except (self._pymilvus.MilvusException, OSError, ValueError) as error:
            reason = str(getattr(error, "message", error)).strip().splitlines() or [repr(error)]
            raise IndexServerError(
                f"{self.address} does not answer as it should ({reason[0][:200]});"
                f" {self.address.remedy}, or correct LOOKALIKE_INDEX"
            ) from error

    def _ask(self, task: str, collection: str, **options: Any) -> Any:
        """One of MilvusClient's methods, of a collection."""
        return self._asked(getattr(self._client, task), collection, timeout=TIMEOUT, **options)

    def _read(self, task: str, collection: str, **options: Any) -> Any:
        """The same of a collection that is loaded; a server that was started anew loads it."""
        try:
            return self._ask(task, collection, **options)
        except IndexServerError:
            self.load(collection)
            return self._ask(task, collection, **options)

    def has(self, collection: str) -> bool:
        """Whether it is there."""
        return bool(self._ask("has_collection", collection))

    def load(self, collection: str) -> None:
        """Make it ready to be asked."""
        self._ask("load_collection", collection)

    def flush(self, collection: str) -> None:
        """Put what was written to where it is read fast; milvus-lite is slow without."""
        self._ask("flush", collection)

    def drop(self, collection: str) -> None:
        """Delete it."""
        self._ask("drop_collection", collection)

    def search(
        self,
        collection: str,
        embedding: NDArray[np.float32],
        limit: int,
        condition: str,
        fields: list[str],
    ) -> list[Any]:
        """The rows with the largest inner products, best first: id, distance, entity."""
        found = self._read(
            "search",
            collection,
            data=[embedding],
            anns_field="vector",
            limit=limit,
            filter=condition,
            output_fields=fields,
            search_params={"metric_type": "IP"},
        )
        return list(found[0])

    def rows(self, collection: str, condition: str, fields: list[str]) -> list[dict[str, Any]]:
        """All rows that fulfil a condition, as they are now."""
        found = self._read(
            "query",
            collection,
            filter=condition,
            output_fields=fields,
            consistency_level="Strong",
        )
        return list(found)

    def every_row(
        self, collection: str, condition: str, fields: list[str]
    ) -> Iterator[dict[str, Any]]:
        """The same, for more than fit into one answer."""
        iterator = self._ask(
            "query_iterator",
            collection,
            batch_size=PAGE,
            filter=condition,
            output_fields=fields,
            consistency_level="Strong",
        )
        while found := self._asked(iterator.next):
            yield from found
        iterator.close()

    def count(self, collection: str, condition: str) -> int:
        """How many rows fulfil a condition."""
        return int(self.rows(collection, condition, ["count(*)"])[0]["count(*)"])

    def make(self, collection: str, dimension: int, texts: dict[str, int]) -> None:
        """A collection with an exact index, unless it is there; `texts`: longest, in bytes."""
        if not self._ask("has_collection", collection):
            kinds = self._pymilvus.DataType
            schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("id", kinds.VARCHAR, is_primary=True, max_length=64)
            schema.add_field("vector", kinds.FLOAT_VECTOR, dim=dimension)
            for name, length in texts.items():
                schema.add_field(name, kinds.VARCHAR, max_length=length)
            for name in ("since", "until"):
                schema.add_field(name, kinds.INT64)
            indexes = self._client.prepare_index_params()
            indexes.add_index("vector", index_type="FLAT", metric_type="IP")
            self._ask("create_collection", collection, schema=schema, index_params=indexes)
        self._ask("load_collection", collection)

    def upsert(self, collection: str, rows: Iterable[dict[str, Any]], size: int = BATCH) -> None:
        """Rows, new or in the place of those with their ids, so many in one message."""
        for batch in in_batches(rows, size):
            self._ask("upsert", collection, data=batch)

    def delete(self, collection: str, ids: Iterable[str]) -> None:
        """Rows by their ids."""
        for batch in in_batches(ids, BATCH):
            self._ask("delete", collection, ids=batch)

    def collections(self) -> list[str]:
        """The names of all."""
        return list(self._asked(self._client.list_collections, timeout=TIMEOUT))


def in_batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Items in lists of so many."""
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch


def one_of(column: str, texts: Iterable[str]) -> str:
    """The condition that a column holds one of some texts."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return f"{column} in [" + ", ".join(f'"{text}"' for text in quoted) + "]"
