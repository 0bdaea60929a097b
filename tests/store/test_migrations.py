"""The migrations lead to the tables of the schema, whatever they start from."""

import ast
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from ringful.store import migrations, schema
from ringful.store.engine import parse_url, writing_engine
from ringful.store.migrate import upgrade
from ringful.store.open import open_store
from ringful.store.port import StoreError
from ringful.store.prepared import upsert
from ringful.store.reading import read_store


@pytest.fixture
def engine(tmp_path):
    made = writing_engine(parse_url(f"sqlite:///{tmp_path}/ringful.db"))
    yield made
    made.dispose()


def test_migrations_and_schema_say_the_same(engine):
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert set(inspect(connection).get_table_names()) == {*schema.metadata.tables, "alembic_version"}


def test_primary_keys_are_those_of_the_schema(engine):
    upgrade(engine)
    with engine.connect() as connection:
        for name, table in schema.metadata.tables.items():
            made = inspect(connection).get_pk_constraint(name)["constrained_columns"]
            assert made == [column.name for column in table.primary_key.columns]


def test_upgrading_twice_changes_nothing(engine):
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO used_seqs (key, seq) VALUES ('K', 1)"))
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM used_seqs")).scalar_one() == 1


async def test_a_database_of_a_newer_ringful_is_refused(engine, tmp_path):
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="made by a newer ringful"):
        async with open_store(f"sqlite:///{tmp_path}/ringful.db"):
            pass


def test_who_only_reads_is_told_that_there_is_something_to_do_first(engine, tmp_path):
    url = f"sqlite:///{tmp_path}/ringful.db"
    with pytest.raises(StoreError, match="there is no database at"), read_store(url):
        pass
    (tmp_path / "ringful.db").touch()
    with read_store(url) as reads:
        assert reads is None
    upgrade(engine)
    with read_store(url) as reads:
        assert reads is not None
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with read_store(url) as reads:
        assert reads is None


def test_a_migration_that_fails_leaves_nothing_behind(engine):
    with engine.begin() as connection:
        # It stands in the way of the last table.
        connection.execute(text("CREATE TABLE used_seqs (x)"))
    with pytest.raises(Exception, match="used_seqs already exists"):
        upgrade(engine)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["used_seqs"]


@pytest.mark.parametrize("tables", [["holidays"], ["used_seqs"], ["alembic_version", "holidays"]], ids=str)
async def test_a_database_of_something_else_is_refused_and_left_alone(engine, tmp_path, tables):
    with engine.begin() as connection:
        for table in tables:
            connection.execute(text(f"CREATE TABLE {table} (version_num)"))
            connection.execute(text(f"INSERT INTO {table} VALUES ('1f2e')"))
    engine.dispose()
    before = (tmp_path / "ringful.db").read_bytes()
    with pytest.raises(StoreError, match="is a database of something else"):
        async with open_store(f"sqlite:///{tmp_path}/ringful.db"):
            pass
    assert (tmp_path / "ringful.db").read_bytes() == before


def test_migrations_form_one_line():
    folder = Path(migrations.__file__).parent
    previous = None
    for path in sorted(folder.glob("m*.py")):
        named = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign)
        }
        assert path.name.startswith(f"m{named['revision']}_")
        assert named["down_revision"] == previous
        previous = named["revision"]
    assert previous


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
def test_statements_are_of_both_dialects(dialect):
    for table in schema.metadata.tables.values():
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
    for table in (schema.calls, schema.keys, schema.posts):
        assert "ON CONFLICT" in str(upsert(table, dialect.name).compile(dialect=dialect))
