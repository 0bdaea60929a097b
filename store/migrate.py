"""Bring a database to the newest migration.

Everything happens in one transaction, under the database's own lock: two processes that open a new
database at once make it once.  A database that is up to date is only read.
"""

from pathlib import Path
from typing import Any, Literal

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, inspect

from ringful.store import migrations
from ringful.store.engine import outside_transaction
from ringful.store.port import StoreError


def upgrade(engine: Engine) -> None:
    """Run the migrations that *engine*'s database lacks.

    Raises StoreError where the database was made by a newer ringful, and what SQLAlchemy raises.
    """
    try:
        with engine.begin() as connection:
            _run(connection, _scripts())
    except (ResolutionError, CommandError):
        raise StoreError(f"{engine.url.database} was made by a newer ringful, which must be used") from None


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
        return "ready" if revision == _scripts().get_current_head() else "old"


def _scripts() -> ScriptDirectory:
    folder = str(Path(migrations.__file__).parent)
    return ScriptDirectory(folder, version_locations=[folder])


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _run(connection: Connection, scripts: ScriptDirectory) -> None:
    def steps(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
