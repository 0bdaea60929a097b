"""Bring a database to the newest migration.

Everything happens in one transaction, under the database's own lock: two processes that open a new
database at once make it once.  A database that is up to date is only read, and without Alembic,
whose import takes longer than all the rest of a short command.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from ringful.store import migrations
from ringful.store.engine import outside_transaction

NEWEST = max(Path(migrations.__file__).parent.glob("m*.py")).name[1:5]
"""The newest revision: the modules are named by theirs, and a test holds that they form one line."""


def upgrade(engine: Engine) -> None:
    """Run the migrations that *engine*'s database lacks.

    Raises StoreError where the database was made by a newer ringful, and what SQLAlchemy raises.
    """
    with outside_transaction(engine) as connection:
        if _revision(connection) == NEWEST:
            return
    from ringful.store.migrating import migrate

    migrate(engine)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
