"""The table that results lie in, on PostgreSQL, MariaDB or MySQL, and SQLite."""

import re
from typing import Any, Final

import pyarrow as pa

from pixelmine.core.errors import OutputError, UsageError

from .address import optional
from .formats import CSV_COLUMNS, flat_rows

__all__ = ["KEY", "check_table", "results_table", "table_name", "table_rows", "upsert"]

KEY: Final = ("row_id", "model_digest")
"""The primary key: a second model's answers lie beside the first's."""

_JSON_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def table_name(text: str) -> str:
    """A table's name: letters, digits and _, at most 63. Raises UsageError."""
    if not _NAME.fullmatch(text):
        raise UsageError(
            f"table must be letters, digits and _, at most 63, no digit first. "
            f"Got {text!r} instead."
        )
    return text


def results_table(name: str, dialect: str, temporary: bool = False) -> Any:
    """The table with CSV_COLUMNS. A temporary one has no key and is emptied at each commit.

    Ids are at most 64 ASCII characters, so the key has 512 bytes in utf8mb4, below InnoDB's 3,072
    (and the 767 of its older row formats). Texts have no length limit that results could reach.
    """
    sa = optional("sqlalchemy", "sql")
    text = sa.Text() if dialect in ("postgresql", "sqlite") else sa.Text(2**24 - 1)  # MEDIUMTEXT
    top = optional("sqlalchemy.dialects.postgresql", "sql").JSONB() if _json(dialect) else text
    kinds = {
        **dict.fromkeys(CSV_COLUMNS, text),
        **dict.fromkeys((*KEY, "picture_id"), sa.String(64)),
        "status": sa.String(16),
        "reason": sa.String(64),
        "frame": sa.Integer(),
        "probability": sa.Double(),
        "top": top,
    }
    required = {*KEY, "uri", "member", "frame", "status"}
    columns = [
        sa.Column(column, kind, primary_key=column in KEY and not temporary, nullable=False)
        if column in required
        else sa.Column(column, kind)
        for column, kind in kinds.items()
    ]
    more = {"prefixes": ["TEMPORARY"], "postgresql_on_commit": "DELETE ROWS"} if temporary else {}
    return sa.Table(
        name,
        sa.MetaData(),
        *columns,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        **more,
    )


def check_table(inspector: Any, name: str) -> None:
    """Raise OutputError where a table of this name has other columns or another key."""
    columns = {column["name"] for column in inspector.get_columns(name)}
    missing = [column for column in CSV_COLUMNS if column not in columns]
    key = inspector.get_pk_constraint(name)["constrained_columns"]
    if missing or set(key) != set(KEY):
        what = f"lacks {', '.join(missing)}" if missing else f"has the key {', '.join(key)}"
        raise OutputError(
            f"The table {name} {what}, so it is not one of results. Name another after the "
            "address: ?table=NAME"
        )


def table_rows(rows: pa.Table, dialect: str) -> list[dict[str, Any]]:
    """Rows with the table's columns. PostgreSQL holds no NUL: there U+FFFD stands for it."""
    found = flat_rows(rows)
    for row in found:
        row["model_digest"] = row["model_digest"] or ""
        if row["probability"] is not None:
            row["probability"] = float(row["probability"])
        if _json(dialect):
            for name, value in row.items():
                if isinstance(value, str):
                    row[name] = value.replace("\0", "\ufffd")
            row["top"] = row["top"] and _JSON_NUL.sub(r"\1\\ufffd", row["top"])
    return found


def upsert(table: Any, dialect: str, source: Any = None) -> Any:
    """INSERT that replaces a row of the same key; from the table `source`, or from parameters."""
    name = "mysql" if dialect == "mariadb" else dialect
    insert = optional(f"sqlalchemy.dialects.{name}", "sql").insert(table)
    if source is not None:
        insert = insert.from_select(list(CSV_COLUMNS), source.select())
    rest = [column for column in CSV_COLUMNS if column not in KEY]
    if name == "mysql":
        return insert.on_duplicate_key_update({column: insert.inserted[column] for column in rest})
    values = {column: insert.excluded[column] for column in rest}
    return insert.on_conflict_do_update(index_elements=list(KEY), set_=values)


def _json(dialect: str) -> bool:
    return dialect == "postgresql"
