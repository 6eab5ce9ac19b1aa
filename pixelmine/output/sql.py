"""Results in a table of a database: upserted in batches, each one transaction."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pixelmine.core.errors import OutputError, UsageError

from .address import Address, optional
from .committed import CommittedSink
from .formats import CSV_COLUMNS
from .prefix import Names
from .sql_table import check_table, results_table, table_name, table_rows, upsert

__all__ = ["TABLE", "SqlSink", "sql_address"]

TABLE: Final = "pixelmine_results"
CONNECT_S: Final = 10
STATEMENT_S: Final = 300
"""A connection or a statement that takes longer has failed."""

_DRIVERS: Final = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite",
}
_PORTS: Final = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "sqlite": 0}
_QUERY: Final = {
    "postgresql": ("table", "sslmode", "sslrootcert"),
    "mysql": ("table", "ssl_ca"),
    "mariadb": ("table", "ssl_ca"),
    "sqlite": ("table",),
}


def sql_address(url: str) -> Address:
    """A database's address, checked. `sqlite:///FILE` is absolute in what it gives.

    Raises UsageError.
    """
    scheme = url.partition(":")[0].lower()
    address = Address.parse(url, _PORTS[scheme], _QUERY[scheme])
    table_name(address.query.get("table", TABLE))
    if not address.path:
        what = "sqlite:///FILE" if scheme == "sqlite" else f"{scheme}://USER@HOST/DATABASE"
        raise UsageError(f"--out must name a database, as {what}. Got {address.shown} instead.")
    if scheme == "sqlite":
        return Address(
            scheme=scheme, host="", port=0, path=os.path.abspath(address.path), query=address.query
        )
    return address


class SqlSink(CommittedSink):
    """A table with CSV_COLUMNS and the key (row_id, model_digest), made if it is not there.

    `finish` takes out rows that this run wrote and that are not of the result any more: files that
    are gone, frames that a file no longer has. Other runs' rows are left alone.
    """

    def __init__(self, url: str, state: Path) -> None:
        super().__init__(state)
        self.address = sql_address(url)
        self._dialect = self.address.scheme
        self._table = results_table(self.address.query.get("table", TABLE), self._dialect)
        self._incoming = results_table("pixelmine_incoming", self._dialect, temporary=True)
        self._engine: Any = None
        self._connection: Any = None

    def start(self) -> Iterator[pa.RecordBatch]:
        """Connect; take out frames that files no longer have; give what the ledger holds."""
        done = super().start()
        self._settle(None)
        return done

    def _open(self) -> None:
        if self._connection is not None:
            return
        sa = optional("sqlalchemy", "sql")
        for module in {"postgresql": ["psycopg"], "sqlite": []}.get(self._dialect, ["pymysql"]):
            optional(module, "sql")
        with self._told("open"):
            self._engine = sa.create_engine(
                self._url(),
                connect_args=self._options(),
                hide_parameters=True,
                poolclass=sa.NullPool,
            )
            self._connection = self._engine.connect()
            self._table.create(self._connection, checkfirst=True)
            check_table(sa.inspect(self._connection), self._table.name)
            if self._dialect == "postgresql":
                self._incoming.create(self._connection)
                self._connection.commit()

    def _deliver(self, rows: pa.Table) -> None:
        with self._told("write to"):
            values = table_rows(rows, self._dialect)
            for begin in range(0, len(values), self.batch_rows):
                self._put(values[begin : begin + self.batch_rows])
            self._connection.commit()
        self._note(rows)

    def _put(self, values: list[dict[str, Any]]) -> None:
        if self._dialect != "postgresql":
            self._connection.execute(upsert(self._table, self._dialect), values)
            return
        columns = ", ".join(CSV_COLUMNS)
        with self._connection.connection.cursor() as cursor:  # COPY is several times faster
            cursor.execute("TRUNCATE pixelmine_incoming")
            with cursor.copy(f"COPY pixelmine_incoming ({columns}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row([row[name] for name in CSV_COLUMNS])
        self._connection.execute(upsert(self._table, self._dialect, self._incoming))

    def _settle(self, listed: Names | None) -> None:
        sa = optional("sqlalchemy", "sql")
        self._open()
        with self._told("write to"):
            for rows in self._ledger.stale(listed):
                pairs = rows.to_pylist()
                for model in {pair["model_digest"] for pair in pairs}:
                    names = [p["row_id"] for p in pairs if p["model_digest"] == model]
                    for begin in range(0, len(names), 500):
                        here = sa.and_(
                            self._table.c.row_id.in_(names[begin : begin + 500]),
                            self._table.c.model_digest == (model or ""),
                        )
                        self._connection.execute(sa.delete(self._table).where(here))
            self._connection.commit()
        self._ledger.forget(listed)

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(optional("sqlalchemy", "sql").exc.SQLAlchemyError):
                self._connection.close()
        if self._engine is not None:
            self._engine.dispose()
        self._connection = self._engine = None

    def _url(self) -> Any:
        address = self.address
        return optional("sqlalchemy", "sql").URL.create(
            _DRIVERS[self._dialect],
            username=address.user,
            password=address.password,
            host=address.host or None,
            port=address.port or None,
            database=address.path,
        )

    def _options(self) -> dict[str, Any]:
        query = {name: value for name, value in self.address.query.items() if name != "table"}
        if self._dialect == "sqlite":
            return {"timeout": 60}
        if self._dialect == "postgresql":
            limits = f"-c statement_timeout={STATEMENT_S}s -c lock_timeout={STATEMENT_S}s"
            live = {"keepalives_idle": 30, "tcp_user_timeout": 60_000}
            return {"connect_timeout": CONNECT_S, "options": limits, **live, **query}
        wait = {"read_timeout": STATEMENT_S, "write_timeout": STATEMENT_S}
        return {"connect_timeout": CONNECT_S, "charset": "utf8mb4", **wait, **query}

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn a driver's errors into one that says what is committed."""
        sa = optional("sqlalchemy", "sql")
        driver: tuple[type[Exception], ...] = (sa.exc.SQLAlchemyError,)
        if self._dialect == "postgresql":  # COPY goes past SQLAlchemy
            driver += (optional("psycopg", "sql").Error,)
        try:
            yield
        except driver as error:
            reason = self.address.hide(getattr(error, "orig", None) or error)
            self._close()
            raise OutputError(
                f"Cannot {what} {self.address.shown}/{self.address.path} ({reason}). "
                f"{self.arrived} rows of this start are committed, none twice. Mend it and run the "
                "same command again: it goes on there."
            ) from error
