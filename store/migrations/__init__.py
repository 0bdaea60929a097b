"""The steps from an empty database to the tables of `ringful.store.schema`, by Alembic.

Each step is a module ``m0001_name.py`` with ``revision`` and ``down_revision``; `ringful.store.migrate`
runs those that a database lacks.  A step that was ever released is never changed.
"""
