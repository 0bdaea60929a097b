"""A queued statement, and what became of it."""

from typing import Literal, TypeAlias

from attrs import define

from ringful.grammar import nodes

TaskState: TypeAlias = Literal["waiting", "running", "done", "failed", "interrupted", "discarded"]


@define
class Task:
    """A statement in the queue; whatever happens, it has one outcome in the end."""

    number: int
    statement: nodes.Statement
    state: TaskState = "waiting"
    detail: str = ""
