"""The migrations, run by Alembic; `migrate` says when."""

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
from ringful.store.port import StoreError


def migrate(engine: Engine) -> None:
    """Run the migrations that *engine*'s database lacks; see `migrate.upgrade`."""
    folder = str(Path(migrations.__file__).parent)
    scripts = ScriptDirectory(folder, version_locations=[folder])
    try:
        with engine.begin() as connection:
            _run(connection, scripts)
    except (ResolutionError, CommandError):
        raise StoreError(f"{engine.url.database} was made by a newer ringful, which must be used") from None


def _run(connection: Connection, scripts: ScriptDirectory) -> None:
    def steps(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
