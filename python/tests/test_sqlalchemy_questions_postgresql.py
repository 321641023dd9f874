"""What a statement may ask of sealed columns by what PostgreSQL alone has: looked through without a server."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

import sealite
from sealite.sqlalchemy import _questions
from test_sqlalchemy_questions import Order, User


def distinct_on(select: sa.Select[Any], column: Any) -> sa.Select[Any]:
    # SQLAlchemy 2.0 has it in distinct(), which is deprecated in 2.1.
    ext = getattr(postgresql, "distinct_on", None)
    return select.distinct(column) if ext is None else select.ext(ext(column))


SORTED = postgresql.aggregate_order_by
POSTGRESQL: dict[str, tuple[sa.Executable, bool]] = {
    "distinct on a plain column": (distinct_on(sa.select(User.email), User.plan), True),
    "distinct on": (distinct_on(sa.select(User.id), User.email), False),
    "locked": (sa.select(User).with_for_update(of=User), True),
    "lateral": (sa.select(sa.select(User.id, User.email).lateral("l")), True),
    "values": (sa.select(sa.values(sa.column("n", sa.Integer), name="v").data([(1,)])), True),
    "upsert": (
        postgresql.insert(Order).values(user_id=1).on_conflict_do_update(index_elements=["id"], set_={"note": "x"}).returning(Order.address), True
    ),
    "upsert of what is sealed": (
        (given := postgresql.insert(Order)).values(user_id=1).on_conflict_do_update(index_elements=["id"], set_={"note": given.excluded.address}), False
    ),
    "aggregated": (sa.select(sa.func.array_agg(User.email)), False),
    "aggregated in a plain order": (sa.select(sa.func.array_agg(SORTED(User.plan, User.id))), True),
    "aggregated in an order": (sa.select(sa.func.array_agg(SORTED(User.plan, User.email))), False),
    "within a group": (sa.select(sa.func.percentile_cont(0.5).within_group(User.email)), False),
    "array": (sa.select(postgresql.array([User.email])), False),
    "any of an array": (sa.select(User.id).where(User.plan == sa.any_(postgresql.array([User.email]))), False),
    "extracted": (sa.select(sa.extract("year", User.email)), False),
    "as a table": (sa.select(sa.func.unnest(User.email).table_valued("x")), False),
    "as a table, joined": (sa.select(sa.func.count(User.id)).select_from(sa.func.f(User.email).alias()), False),
}  # fmt: skip


@pytest.mark.parametrize("what", POSTGRESQL)
def test_postgresql_s_own_is_looked_through(what: str) -> None:
    statement, allowed = POSTGRESQL[what]
    compiled: Any = statement.compile(dialect=postgresql.dialect())  # type: ignore[attr-defined]
    if allowed:
        _questions.look_through(compiled)
    else:
        with pytest.raises(sealite.Refused):
            _questions.look_through(compiled)
