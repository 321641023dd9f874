"""Sealed columns in Alembic's migrations: `import sealite.alembic` in env.py, and register the vault there.

Autogenerate then writes the types of `sealite.sqlalchemy`. A plain column that has become sealed is written as
`op.seal_column(...)`, which seals the values that are there, fills the blind index, and ends with no plaintext in the
database's file; the downgrade is `op.unseal_column(...)`. SQLite and PostgreSQL.

    >>> import sqlalchemy as sa
    >>> import sealite.alembic, sealite.sqlalchemy
    >>> type_ = sealite.sqlalchemy.Sealed(sa.Text(), label="users.email")
    >>> sealing = sealite.alembic.SealColumn("users", "email", type_)     # what op.seal_column("users", "email", type_) does
    >>> type(sealing.reverse())
    <class 'sealite.alembic.UnsealColumn'>

In a database of the dialect `sqlite+sealite` tables with sealed columns are sealed tables, and `op.add_column`,
`op.drop_column`, `op.alter_column(new_column_name=)`, `op.rename_table`, `op.create_index`, `op.drop_index` and
`op.drop_table` work on them, each migration in one transaction. Sealing and opening commit what came before.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any, ClassVar

import sqlalchemy as sa
from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations, ops
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy.exc import DBAPIError

import sealite
from sealite.sqlalchemy import BlindIndex, Sealed, tenant
from sealite.sqlalchemy._engine import is_engine
from sealite.sqlalchemy._rows import ForRow, SealedForRow, record_of
from sealite.sqlalchemy._migrations import convert, is_there, plain_first
from sealite.sqlalchemy._schema import companion_key

__all__ = ["SealColumn", "UnsealColumn"]

_BATCH = 1_000


class _Conversion(MigrateOperation):
    word: ClassVar[str]

    def __init__(
        self,
        table_name: str,
        column_name: str,
        type_: Sealed,
        *,
        existing_type: sa.types.TypeEngine[Any] | None = None,
        schema: str | None = None,
        tenant_column: str | None = None,
    ) -> None:
        self.table_name = table_name
        self.column_name = column_name
        self.type_ = type_
        self.existing_type = type_.of if existing_type is None else existing_type
        self.schema = schema
        self.tenant_column = tenant_column

    def _other(self, kind: Callable[..., MigrateOperation]) -> MigrateOperation:
        return kind(
            self.table_name,
            self.column_name,
            self.type_,
            existing_type=self.existing_type,
            schema=self.schema,
            tenant_column=self.tenant_column,
        )


@Operations.register_operation("seal_column")
class SealColumn(_Conversion):
    """Seals a plain column in place. What can't be told from the table is given: `tenant_column` names the column that
    holds the tenant of each row, where the type is per tenant."""

    word = "seal_column"

    @classmethod
    def seal_column(
        cls, operations: Operations, table_name: str, column_name: str, type_: Sealed, **given: Any
    ) -> None:
        """Seals a column: `op.seal_column("users", "email", Sealed(...))`."""
        operations.invoke(cls(table_name, column_name, type_, **given))

    def reverse(self) -> MigrateOperation:
        """What takes it back."""
        return self._other(UnsealColumn)


@Operations.register_operation("unseal_column")
class UnsealColumn(_Conversion):
    """Opens a sealed column in place: its values lie in plaintext from then on."""

    word = "unseal_column"

    @classmethod
    def unseal_column(
        cls, operations: Operations, table_name: str, column_name: str, type_: Sealed, **given: Any
    ) -> None:
        """Opens a column: `op.unseal_column("users", "email", Sealed(...))`."""
        operations.invoke(cls(table_name, column_name, type_, **given))

    def reverse(self) -> MigrateOperation:
        """What takes it back."""
        return self._other(SealColumn)


@Operations.implementation_for(SealColumn)
@Operations.implementation_for(UnsealColumn)
def _convert(operations: Operations, operation: _Conversion) -> None:
    context = operations.migration_context
    if context.as_sql:
        raise sealite.Refused(f"{operation.word} needs the rows: it can't be written as SQL")
    if is_engine(context.dialect):
        with context.autocommit_block():
            convert(operations.get_bind(), operation, to_sealed=isinstance(operation, SealColumn))
        return
    dialect = context.dialect.name
    if dialect not in _SWAPS:
        raise sealite.Refused(f"{operation.word} is for SQLite and PostgreSQL, not for {dialect}")
    sealed = operation.type_
    if sealed.per_tenant and operation.tenant_column is None:
        raise sealite.Refused(
            f"field {sealed.label} is per tenant: name the tenant's column, {operation.word}(..., tenant_column=...)"
        )
    connection = operations.get_bind()
    if dialect == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    sealing = isinstance(operation, SealColumn)
    made = f"{operation.column_name}_converted"
    target: sa.types.TypeEngine[Any] = sa.LargeBinary() if sealing else operation.existing_type
    found = sa.inspect(connection).get_columns(operation.table_name, operation.schema)
    there = {column["name"]: column["type"] for column in found}
    if made not in there:
        # Else a run that was cut off has made it, and this one goes on.
        if _is_binary(there[operation.column_name]) is sealing and not _is_binary(operation.existing_type):
            # A run that was cut off at the very end has converted all of them.
            _FINISHES[dialect](operations)
            return
        operations.add_column(operation.table_name, sa.Column(made, target), schema=operation.schema)
    for statement, rows in _rows(connection, operation, made, sealing):
        connection.execute(statement, rows)
    _SWAPS[dialect](operations, operation, made, target)
    _FINISHES[dialect](operations)


def _is_binary(type_: sa.types.TypeEngine[Any]) -> bool:
    return type_._type_affinity is sa.types._Binary


def _rows(
    connection: sa.Connection, operation: _Conversion, made: str, sealing: bool
) -> Iterator[tuple[sa.Update, list[dict[str, Any]]]]:
    """Updates of so many rows each, until every value has been converted."""
    sealed = operation.type_
    keys = sa.inspect(connection).get_pk_constraint(operation.table_name, operation.schema)["constrained_columns"]
    if not keys:
        raise sealite.Refused(f"{operation.table_name} has no primary key to tell its rows by")
    companion = companion_key(operation.column_name) if sealing and sealed.index else None
    plain, source = operation.existing_type, sealed if not sealing else sealed.of
    columns: list[sa.ColumnClause[Any]] = [sa.column(key) for key in keys]
    columns += [sa.column(operation.column_name, source), sa.column(made, sealed if sealing else plain)]
    if operation.tenant_column is not None:
        columns.append(sa.column(operation.tenant_column))
    if companion is not None:
        blind = sealed.blind_index()
        assert blind is not None
        columns.append(sa.column(companion, blind))
    table = sa.table(operation.table_name, *columns, schema=operation.schema)
    value, result = table.c[operation.column_name], table.c[made]
    # What is compared with NULL is stored bytes on either side.
    left = sa.and_(sa.type_coerce(value, sa.types.NullType()).is_not(None), sa.type_coerce(result, sa.types.NullType()).is_(None))
    of_tenant = [table.c[operation.tenant_column]] if operation.tenant_column else []
    select = sa.select(*(table.c[key] for key in keys), *of_tenant, value).where(left).limit(_BATCH)
    update = sa.update(table).where(*(table.c[key] == sa.bindparam(f"key_{at}") for at, key in enumerate(keys)))
    update = update.values({result: sa.bindparam("converted")})
    if companion is not None:
        update = update.values({table.c[companion]: sa.bindparam("indexed")})
    while True:
        # The tenant in force is the row's: rows of one tenant at a time.
        found = connection.execute(select).first() if of_tenant else None
        here = select
        if found is not None:
            here = select.where(of_tenant[0] == found[len(keys)])
        elif of_tenant:
            return
        with tenant(str(found[len(keys)])) if found is not None else nullcontext():
            rows = connection.execute(here).all()
            if not rows:
                return
            yield update, [_converted(row, len(keys), sealed, companion is not None) for row in rows]


def _converted(row: Any, keys: int, sealed: Sealed, indexed: bool) -> dict[str, Any]:
    value = row[-1]
    given = {f"key_{at}": row[at] for at in range(keys)}
    if isinstance(value, SealedForRow):
        value = value.open(row[0])
    elif sealed.bind_row:
        value = ForRow(value, record_of(row[0]))
    given["converted"] = value
    if indexed:
        given["indexed"] = value
    return given


def _swap_sqlite(operations: Operations, operation: _Conversion, made: str, target: Any) -> None:
    names = operations.get_bind().dialect.identifier_preparer.quote
    table, column = names(operation.table_name), names(operation.column_name)
    operations.execute(f"UPDATE {table} SET {column} = {names(made)}")
    with operations.batch_alter_table(operation.table_name, schema=operation.schema, recreate="always") as batch:
        batch.alter_column(operation.column_name, type_=target)
        batch.drop_column(made)


def _finish_sqlite(operations: Operations) -> None:
    # Freed pages, and pages that were split, still hold what was there.
    with operations.get_context().autocommit_block():
        operations.execute("VACUUM")
        operations.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _swap_postgresql(operations: Operations, operation: _Conversion, made: str, target: Any) -> None:
    names = operations.get_bind().dialect.identifier_preparer.quote
    table, column = names(operation.table_name), names(operation.column_name)
    if operation.schema is not None:
        table = f"{names(operation.schema)}.{table}"
    written = target.compile(operations.get_bind().dialect)
    # Writes the table anew: the file with the old rows goes when this commits.
    operations.execute(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")
    operations.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {written} USING {names(made)}")
    operations.drop_column(operation.table_name, made, schema=operation.schema)


def _finish_postgresql(operations: Operations) -> None:
    # The planner keeps samples of the values, and a deleted row stays in its page.
    with operations.get_context().autocommit_block():
        try:
            operations.get_bind().exec_driver_sql("VACUUM FULL pg_statistic")
        except DBAPIError:
            refused = True
        else:
            # Who may not, is warned by the server and skipped.
            asked = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
            refused = not operations.get_bind().scalar(sa.text(asked))
    if refused:
        left = "samples of the values may be left among the planner's statistics; a superuser removes them: "
        warnings.warn(left + "VACUUM FULL pg_statistic", stacklevel=2)


_SWAPS = {"sqlite": _swap_sqlite, "postgresql": _swap_postgresql}
_FINISHES = {"sqlite": _finish_sqlite, "postgresql": _finish_postgresql}


@renderers.dispatch_for(SealColumn)
@renderers.dispatch_for(UnsealColumn)
def _render(context: AutogenContext, operation: _Conversion) -> str:
    context.imports.add("import sealite.sqlalchemy")
    written = f"sealite.sqlalchemy.{operation.type_!r}"
    schema = f", schema={operation.schema!r}" if operation.schema else ""
    return f"op.{operation.word}({operation.table_name!r}, {operation.column_name!r}, {written}{schema})"


def _render_item(kind: str, item: Any, context: AutogenContext) -> Any:
    if kind != "type" or not isinstance(item, (Sealed, BlindIndex)):
        return False
    context.imports.add("import sealite.sqlalchemy")
    written = repr(item)
    if isinstance(item, Sealed) and item.index is not None and item.companion:
        # The migration names the index's column itself.
        written = f"{written[:-1]}, companion=False)"
    return f"sealite.sqlalchemy.{written}"


@comparators.dispatch_for("autogenerate", priority=DispatchPriority.FIRST)
def _begin(context: AutogenContext, upgrade: ops.UpgradeOps) -> PriorityDispatchResult:
    """Writes our types, unless the project's own `render_item` does."""
    own: Any = context.opts.get("render_item")

    def render_item(kind: str, item: Any, context: AutogenContext) -> Any:
        rendered = own(kind, item, context) if own is not None else False
        return _render_item(kind, item, context) if rendered is False else rendered

    context.opts["render_item"] = render_item
    if context.dialect is not None and is_engine(context.dialect):
        context._object_filters = [*context._object_filters, is_there]
    return PriorityDispatchResult.CONTINUE


@comparators.dispatch_for("autogenerate", priority=DispatchPriority.LAST)
def _seal_instead_of_altering(context: AutogenContext, upgrade: ops.UpgradeOps) -> PriorityDispatchResult:
    """A change of type alone would leave the plaintext where it is."""
    rewritten: list[Any] = []
    for each in upgrade.ops:
        rewritten.append(each)
        if not isinstance(each, ops.ModifyTableOps):
            continue
        kept: list[Any] = []
        for change in each.ops:
            if isinstance(change, ops.AlterColumnOp) and isinstance(change.modify_type, Sealed):
                new = change.modify_type
                rewritten.append(SealColumn(change.table_name, change.column_name, new, schema=change.schema))
                change.modify_type = None
                if not change.has_changes():
                    continue
            type_ = plain_first(context, each.table_name, change)
            if type_ is not None and isinstance(change, ops.AddColumnOp):
                rewritten.append(SealColumn(change.table_name, change.column.name, type_, schema=change.schema))
            kept.append(change)
        each.ops = kept
        if not kept:
            rewritten.remove(each)
    upgrade.ops = rewritten
    return PriorityDispatchResult.CONTINUE
