"""Between a statement and the database: updates take the index along, and what would write plaintext, or leave an index
behind, is refused before it is sent."""

import copy
from typing import Any

from sqlalchemy import Table, event, exc
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.sql.dml import Insert, Update
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.lambdas import LambdaElement

import sealite

from ._binding import RowBinding, changed_on_conflict, given_by
from ._engine import is_engine
from ._questions import before_cursor_execute
from ._schema import companion_key, sealed_keys
from ._type import Sealed

_Parameters = dict[str, Any]


def install() -> None:
    """Looks at what every engine of this process executes: those that are there, and those to come."""
    event.listen(Engine, "before_execute", _before_execute, retval=True)
    event.listen(Engine, "before_cursor_execute", before_cursor_execute)
    event.listen(Engine, "handle_error", _handle_error)


def _before_execute(
    connection: Any, statement: Any, multiple: Any, single: Any, options: Any
) -> tuple[Any, Any, Any]:
    if isinstance(statement, (Insert, Update, LambdaElement)) and not is_engine(connection.dialect):
        written: Any = statement._resolved if isinstance(statement, LambdaElement) else statement
        table: Any = written.table if isinstance(written, (Insert, Update)) else None
        keys = () if table is None else sealed_keys(table)
        if keys and isinstance(statement, LambdaElement):
            # Its parameters are another time's: it is compiled once.
            raise sealite.Refused(f"{table} has sealed columns: it is written by insert() and update() themselves")
        if keys:
            return _Write(written, keys).checked(multiple, single)
    return statement, multiple, single


def _handle_error(context: ExceptionContext) -> BaseException | None:
    """Parameters that have not been sealed yet stay out of the error, its text and its attributes."""
    wrapper, original = context.sqlalchemy_exception, context.original_exception
    if is_engine(context.dialect):
        hidden = context.engine is None or context.engine.hide_parameters
    else:
        hidden = context.execution_context is None
    if not hidden:
        return None
    if wrapper is not None:
        wrapper.hide_parameters = True
        wrapper.params = None
    if isinstance(original, UnicodeEncodeError):
        # Its text shows one character, and its attributes all of them.
        original.object, original.args = "", (original.encoding, original.reason)
    # A new one, that can come from the other; its codes and notes are copied.
    return copy.copy(original) if isinstance(original, sealite.SealiteError) else None


class _Write:
    """An INSERT or UPDATE of a table with sealed columns."""

    def __init__(self, statement: Insert | Update, keys: tuple[str, ...]) -> None:
        self._statement: Any = statement
        table = statement.table
        assert isinstance(table, Table)
        self._table = table
        self._types: dict[str, Sealed] = {key: table.c[key].type for key in keys}
        self._companions = {
            key: companion_key(key) for key in keys if companion_key(key) in table.c
        }

    def checked(self, multiple: Any, single: Any) -> tuple[Any, Any, Any]:
        statement = self._statement
        values = self._values()
        self._refuse_expressions(values)
        if isinstance(statement, Insert):
            self._refuse_copies(statement)
            if statement._multi_values:
                self._statement = self._filled(statement)
        else:
            added = {
                companion: values[key].value
                for key, companion in self._companions.items()
                if key in values
            }
            if added:
                self._statement = self._with_values(added)
            multiple = [self._with_companions(each) for each in multiple]
            single = self._with_companions(single)
        if any(each.bind_row for each in self._types.values()):
            return RowBinding(self._table, self._types).bound(self._statement, values, multiple, single)
        for given in (*multiple[:1], single):
            self._refuse_companions(given)
        return self._statement, multiple, single

    def _values(self) -> dict[str, Any]:
        """What values() was given for the sealed columns and their companions, by the key of the column."""
        return self._named(given_by(self._statement))

    def _with_values(self, added: dict[str, Any]) -> Any:
        try:
            return self._statement.values({self._table.c[key]: value for key, value in added.items()})
        except exc.SQLAlchemyError:
            raise sealite.Refused(f"{self._table.name}: sealed values with an index are set by values()") from None

    def _filled(self, statement: Any) -> Any:
        """insert().values([...]) with the companions in each row: their defaults would not know the rows apart."""
        filled = statement._generate()
        filled._multi_values = tuple([self._filled_row(row) for row in rows] for rows in statement._multi_values)
        return filled

    def _filled_row(self, row: Any) -> dict[Any, Any]:
        if not isinstance(row, dict):
            raise sealite.Refused(f"{self._table.name}: several rows with sealed values are given as dicts")
        values = self._named(row)
        self._refuse_expressions(values)
        companions = {self._table.c[name]: values.get(key) for key, name in self._companions.items()}
        return {**row, **companions}

    def _named(self, given: dict[Any, Any]) -> dict[str, Any]:
        named = {getattr(key, "key", key): value for key, value in given.items()}
        self._refuse_companions(named)
        return {key: value for key, value in named.items() if key in self._types}

    def _refuse_companions(self, given: Any) -> None:
        if isinstance(self._statement, Insert):
            for companion in self._companions.values():
                if companion in given:
                    raise sealite.Refused(f"{self._table.name}.{companion} is filled by itself")

    def _refuse_expressions(self, values: dict[str, Any]) -> None:
        for key, value in values.items():
            if not hasattr(value, "__clause_element__") and not hasattr(value, "_annotations"):
                continue
            # An anonymous parameter is a value that was given as such.
            plain = isinstance(value, BindParameter) and value.unique and value.callable is None
            if not plain or not (value.type._isnull or self._types[key].same_field(value.type)):
                raise sealite.Refused(
                    f"{self._table.name}.{key} is sealed: it is set to values, not to SQL expressions or named parameters"
                )

    def _refuse_copies(self, statement: Insert) -> None:
        names: set[Any] = set(statement._select_names or ())
        names |= {getattr(key, "key", key) for key in changed_on_conflict(statement._post_values_clause)}
        for key in (*self._types, *self._companions.values()):
            if key in names:
                raise sealite.Refused(
                    f"{self._table.name}.{key} is sealed: INSERT from SELECT and ON CONFLICT DO UPDATE can't seal it in this"
                    " database. Select, then insert or update"
                )

    def _with_companions(self, given: _Parameters) -> _Parameters:
        for companion in self._companions.values():
            if companion in given:
                raise sealite.Refused(f"{self._table.name}.{companion} is filled by itself")
        added = {companion: given[key] for key, companion in self._companions.items() if key in given}
        return {**given, **added} if added else given
