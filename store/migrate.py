"""Bring a database to the newest migration.

Everything happens in one transaction, under the database's own lock: two processes that open a new
database at once make it once.  A database that is up to date is only read, and without Alembic,
whose import takes longer than all the rest of a short command.
"""

from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, inspect, text

from ringful.store import migrations
from ringful.store.engine import outside_transaction
from ringful.store.port import StoreError

NEWEST = max(Path(migrations.__file__).parent.glob("m*.py")).name[1:5]
"""The newest revision: the modules are named by theirs, and a test holds that they form one line."""


def upgrade(engine: Engine) -> None:
    """Run the migrations that *engine*'s database lacks.

    Raises StoreError where the database was made by a newer ringful, and what SQLAlchemy raises.
    """
    # Alembic is imported where there is something to do.
    from ringful.store.migrating import migrate

    migrate(engine)


def look(engine: Engine) -> Literal["empty", "old", "ready"]:
    """Say how *engine*'s database stands, without changing it: no tables yet, migrations lacking, or neither.

    Raises StoreError where its tables are not ours, and what SQLAlchemy raises.
    """
    with outside_transaction(engine) as connection:
        tables = set(inspect(connection).get_table_names())
        if not tables:
            return "empty"
        revision = _revision(connection) if "alembic_version" in tables else None
    if revision is None or "used_seqs" not in tables:
        some = ", ".join(sorted(tables)[:3]) + (" …" if len(tables) > 3 else "")
        raise StoreError(
            f"{engine.url.database} is a database of something else (its tables: {some}): "
            "name one of ringful's own in store.url"
        )
    return "ready" if revision == NEWEST else "old"


def _revision(connection: Connection) -> str | None:
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
