"""Bring a database to the newest migration.

Everything happens in one transaction, under the database's own lock: two processes that open a new
database at once make it once.  A database that is up to date is only read.
"""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy import Connection, Engine

from ringful.store import migrations
from ringful.store.engine import outside_transaction
from ringful.store.port import StoreError


def upgrade(engine: Engine) -> None:
    """Run the migrations that *engine*'s database lacks.

    Raises StoreError where the database was made by a newer ringful, and what SQLAlchemy raises.
    """
    scripts = _scripts()
    with outside_transaction(engine) as connection:
        if _revision(connection) == scripts.get_current_head():
            return
    try:
        with engine.begin() as connection:
            _run(connection, scripts)
    except (ResolutionError, CommandError):
        raise StoreError(f"{engine.url.database} was made by a newer ringful, which must be used") from None


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
