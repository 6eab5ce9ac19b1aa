"""A database: the pictures that one query gives."""

import os
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pixelmine.core.errors import SourceError, UsageError
from pixelmine.core.ids import digest

from .cells import cell_row
from .columns import Columns, described, pick
from .rows import Row, row
from .source import SourceOptions

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["SqlSource"]

_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite",
}
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
_KEYS = ("id", "key")
_AT_ONCE = 64
"""Rows that are fetched together: each may hold a picture."""

_CONNECT_S = 15
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.S)
_FROM = re.compile(r"\bfrom\s+([\w.\"`\[\]]+)", re.I)


@dataclass(frozen=True)
class SqlSource:
    """Rows of `options.query`, one SELECT, run read-only where the database can.

    `text`: `postgresql://`, `mysql://`, `mariadb://` or `sqlite:///PATH`, with user and password,
    which appear nowhere else. The picture's column holds bytes, a path or an address; other columns
    are `meta`. A row is the member that its column `id` or `key` names, in the table behind the
    first FROM; without such a column its number, from 0, in this query. Give an ORDER BY then, or
    the numbers mean nothing.
    """

    text: str = field(repr=False)
    options: SourceOptions

    def __post_init__(self) -> None:
        _check_query(self.options.query)
        self._url()

    @property
    def uri(self) -> str:
        """Of the database, without user, password and options."""
        url = self._url()
        name = url.get_backend_name()
        if name == "sqlite":
            return f"sqlite:///{quote(str(self._file()))}"
        host = f"[{url.host}]" if ":" in (url.host or "") else (url.host or "").lower()
        port = f":{url.port}" if url.port and url.port != _PORTS[name] else ""
        return f"{name}://{host}{port}/{quote(url.database or '')}"

    @property
    def root(self) -> Path | None:
        """The folder of a file; a server has none."""
        return self._file().parent if self._url().get_backend_name() == "sqlite" else None

    def rows(self) -> Iterator[Row]:
        """In the order of the query, by a cursor on the server. Raises SourceError, UsageError."""
        import sqlalchemy as sa

        engine = self._engine()
        try:
            with engine.connect() as connection:
                yield from self._rows(connection)
        except (sa.exc.SQLAlchemyError, sa.exc.DBAPIError) as error:
            raise SourceError(f"The query on {self.uri} failed: {self._said(error)}") from None
        finally:
            engine.dispose()

    def _rows(self, connection: "sa.Connection") -> Iterator[Row]:
        if connection.dialect.name in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            connection.commit()
        options: dict[str, Any] = {"stream_results": True, "no_parameters": True}
        if connection.dialect.name == "postgresql":
            options["postgresql_readonly"] = True
        connection = connection.execution_options(yield_per=_AT_ONCE, **options)
        with closing(connection.exec_driver_sql(_statement(self.options.query))) as found:
            yield from self._found(found)

    def _found(self, found: "sa.CursorResult[Any]") -> Iterator[Row]:
        names = list(found.keys())
        columns = Columns.of_table(names, self.options, "The result of the query")
        key = next((name for name in names if name.lower() in _KEYS), None)
        key = key if key != columns.picture else None
        uri, folder = self._place(key), self.root or Path.cwd()
        for number, values in enumerate(found):
            record = dict(zip(names, values, strict=True))
            member = str(number) if key is None or record[key] is None else str(record[key])
            said = described(record, columns)
            yield {**said, **cell_row(pick(record, columns.picture), row(uri, member), folder)}

    def _place(self, key: str | None) -> str:
        """What members are told apart in: the table where they have a key, else the query."""
        query = _statement(self.options.query)
        table = _FROM.search(query) if key is not None else None
        name = re.sub(r"[\"`\[\]]", "", table[1]) if table else f"query-{digest(query)[:16]}"
        return f"{self.uri}/{quote(name)}"

    def _url(self) -> "sa.URL":
        try:
            import sqlalchemy as sa
        except ImportError as error:
            raise UsageError("Databases need more: pip install 'pixelmine[sql]'.") from error
        try:
            url = sa.make_url(self.text)
            driver = _DRIVERS.get(url.get_backend_name())
        except (sa.exc.ArgumentError, ValueError):  # its message may hold the password
            driver = None
        if driver is None:
            raise UsageError(
                "The address of a database must be SCHEME://USER:PASSWORD@HOST:PORT/NAME or "
                f"sqlite:///PATH, its scheme one of {', '.join(_DRIVERS)}."
            ) from None
        if driver == "sqlite" and url.database in (None, "", ":memory:"):
            raise UsageError("sqlite must name a file: sqlite:///PATH.")
        return url.set(drivername=driver)

    def _file(self) -> Path:
        return Path(os.path.abspath(self._url().database or ""))

    def _engine(self) -> "sa.Engine":
        import sqlalchemy as sa
        from sqlalchemy.pool import NullPool

        url = self._url()
        if url.get_backend_name() == "sqlite":
            if not self._file().is_file():
                raise SourceError(f"There is no file at {self._file()}.")
            address = f"file:{quote(str(self._file()))}"
            query = {"uri": "true", "mode": "ro"}
            return sa.create_engine(sa.URL.create("sqlite", database=address, query=query))
        try:
            args = {"connect_timeout": _CONNECT_S}
            return sa.create_engine(url, poolclass=NullPool, connect_args=args)
        except ImportError as error:
            raise UsageError(
                f"{url.get_backend_name()} needs more: pip install 'pixelmine[sql]'."
            ) from error

    def _said(self, error: Exception) -> str:
        """A database's own words, on one line, without the password."""
        text = " ".join(str(getattr(error, "orig", None) or error).split())
        password = self._url().password
        for secret in {str(password), quote(str(password), safe="")} if password else ():
            text = text.replace(secret, "***")
        return text


def _check_query(query: str | None) -> None:
    if not query or not query.strip():
        raise UsageError("A database needs a query: --query 'SELECT id, picture FROM pictures'.")
    bare = _QUOTED.sub(" ", _statement(query))
    if ";" in bare or not re.match(r"\s*(select|with)\b", bare, re.I):
        raise UsageError(
            f"The query must be one SELECT. Got {' '.join(query.split())[:80]!r} instead."
        )


def _statement(query: str | None) -> str:
    return (query or "").strip().rstrip(";").strip()
