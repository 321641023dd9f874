"""What a statement may ask of sealed columns in any database: refused where the answer would be wrong, answered where it is
right, and the same questions answered by the engine's own database."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.elements import ColumnElement

import sealite
from sealite.sqlalchemy import Sealed, _questions, register_vault, unregister_vault


class Base(orm.DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    email: orm.Mapped[str | None] = orm.mapped_column(Sealed(sa.Text(), index="unique email", label="users.email"))
    name: orm.Mapped[str | None] = orm.mapped_column(Sealed(sa.Text(), label="users.name"))
    vip: orm.Mapped[bool | None] = orm.mapped_column(Sealed(sa.Boolean(), label="users.vip"))
    plan: orm.Mapped[str | None]
    kind: orm.Mapped[str] = orm.mapped_column(default="user")
    orders: orm.Mapped[list["Order"]] = orm.relationship(back_populates="user", order_by="Order.id")
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "user"}


class Staff(User):
    __tablename__ = "staff"
    id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("users.id"), primary_key=True)
    badge: orm.Mapped[str | None] = orm.mapped_column(Sealed(sa.Text(), label="staff.badge"))
    __mapper_args__ = {"polymorphic_identity": "staff"}


class Order(Base):
    __tablename__ = "orders"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    user_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("users.id"))
    address: orm.Mapped[str | None] = orm.mapped_column(Sealed(sa.Text(), index="unique email", label="users.email"))
    note: orm.Mapped[str | None]
    user: orm.Mapped[User] = orm.relationship(back_populates="orders")
    # Its condition has a plain column on the left and a sealed one on the right.
    wrong: orm.Mapped[list[User]] = orm.relationship(
        primaryjoin=lambda: orm.foreign(User.__table__.c.plan) == Order.__table__.c.address, viewonly=True
    )


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, sa.Engine]]:
    """SQLite under Python's driver, and the engine's own database. No test commits."""
    plain = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    sealed = sa.create_engine("sqlite+sealite://", poolclass=sa.StaticPool)
    Base.metadata.create_all(plain)
    # The key of a sealed table is no foreign key, as that of joined inheritance is.
    Base.metadata.create_all(sealed, tables=[User.__table__, Order.__table__])  # type: ignore[list-item]
    with sealite.Vault.in_memory() as vault:
        register_vault(vault)
        fill(plain, Staff(email="c@x.org", name="Bob", badge="7", plan="pro"))
        fill(sealed, User(email="c@x.org", name="Bob", plan="pro"))
        yield {"plain": plain, "sealed": sealed}
        unregister_vault()
    plain.dispose()
    sealed.dispose()


@pytest.fixture
def session(engines: dict[str, sa.Engine]) -> Iterator[orm.Session]:
    with orm.Session(engines["plain"]) as session:
        yield session


@pytest.fixture
def sealed(engines: dict[str, sa.Engine]) -> Iterator[orm.Session]:
    with orm.Session(engines["sealed"]) as session:
        yield session


def fill(engine: sa.Engine, third: User) -> None:
    ann = User(email="a@x.org", name="Ann", vip=True, plan="a@x.org", orders=[Order(address="a@x.org"), Order(note="Ann")])
    bob = User(email="b@x.org", name="Bob", plan="free", orders=[Order(address="c@x.org")])
    with orm.Session(engine) as session:
        session.add_all([ann, bob, third])
        session.commit()


U, O = User.__table__, orm.aliased(User)
ONE = sa.literal("a@x.org")
SUB = sa.select(User.id, User.email.label("e"), User.plan).subquery()
TYPED = sa.literal("x", Sealed(sa.Text(), label="users.name"))

# What the engine answers, by the question; None where SQLite has no such operator, or the answer says nothing.
REFUSED: dict[str, tuple[Any, Any]] = {
    # A plain side on the left.
    "plain == sealed": (User.plan == User.email, [1]),
    "plain != sealed": (User.plan != User.email, [2, 3]),
    "plain > sealed": (User.plan > User.email, [2, 3]),
    "plain like sealed": (User.plan.like(User.email), [1]),
    "plain between sealed": (User.plan.between(User.email, User.email), [1]),
    "plain is sealed": (User.plan.is_not_distinct_from(User.email), [1]),
    "literal == sealed": (ONE == User.email, [1]),
    "function == sealed": (sa.func.lower("A@x.org") == User.email, [1]),
    "parameter == sealed": (sa.bindparam("q", "a@x.org", type_=sa.Text) == User.email, [1]),
    "plain in sealed": (User.plan.in_([User.email, User.name]), [1]),
    "plain in selected": (User.plan.in_(sa.select(O.email)), [1]),
    "plain == selected": (User.plan == sa.select(O.email).where(O.id == 1).scalar_subquery(), [1]),
    "plain == any": (User.plan == sa.any_(sa.select(O.email).scalar_subquery()), None),
    "plain == typed parameter": (User.plan == TYPED, []),
    "plain == labelled": (User.plan == User.email.label("e"), [1]),
    "plain == called plain": (User.plan == sa.type_coerce(User.email, sa.Text), [1]),
    "plain == column of a sub-query": (User.plan == SUB.c.e, None),
    "joined": (sa.select(User.id).join(O, User.plan == O.email), [1]),
    "joined by a relationship": (sa.select(Order.id).join(Order.wrong), [1]),
    "joined by a relationship, within": (sa.select(sa.select(Order.id).join(Order.wrong).subquery()), [1]),
    "joined while loading": (lambda s: [o.id for o in s.scalars(sa.select(Order).options(orm.joinedload(Order.wrong))).unique()], None),
    "criteria of a loader": (
        sa.select(User.id).options(orm.with_loader_criteria(User, lambda cls: cls.plan == cls.email)), [1]
    ),
    "in a lambda": (sa.lambda_stmt(lambda: sa.select(User.id).where(User.plan == User.email)), [1]),
    "added": (sa.select(User.id).where(User.plan + User.email == "freeb@x.org"), [2]),
    # A sealed side on the left, by every operator.
    "ilike": (User.email.ilike("A%"), [1]),
    "between": (User.email.between("a", "b"), [1]),
    "match": (User.email.regexp_match("a"), [1]),
    "contains": (User.email.contains("@"), [1, 2, 3]),
    "labelled ==": (User.name.label("n") == "Ann", [1]),
    "bitwise": (User.__table__.c.vip.is_(True), [1]),
    "negated": (~User.vip, []),
    "as a condition": (sa.select(User.id).where(U.c.vip), [1]),
    "as a condition among others": (sa.and_(U.c.vip, User.id < 3), [1]),
    "having": (sa.select(User.id).group_by(User.id).having(U.c.vip), [1]),
    # Together with others.
    "tuple, indexed": (sa.tuple_(User.email, User.id).in_([("a@x.org", 1)]), [1]),
    "tuple, not indexed": (sa.tuple_(User.id, User.name).in_([(1, "Ann")]), [1]),
    "tuple, selected": (sa.tuple_(User.id, User.plan).in_(sa.select(O.id, O.email)), [1]),
    "case": (sa.select(sa.case((User.id == 1, User.email.label("e")), else_="x")), ["a@x.org", "x", "x"]),
    "compared in a case": (sa.case((User.plan == User.email, 1), else_=0) == 1, [1]),
    # Orders and groups.
    "order": (sa.select(User.id).order_by(User.email), [1, 2, 3]),
    "order by label": (sa.select(User.id, User.email.label("e")).order_by(User.email.label("e")), [1, 2, 3]),
    "order by name": (sa.select(User.id, User.email).order_by("email"), [1, 2, 3]),
    "order by the name of a label": (sa.select(User.id, User.email.label("e")).order_by("e"), [1, 2, 3]),
    "order by name, descending": (sa.select(User.id, User.email.label("e")).order_by(sa.desc("e")), [3, 2, 1]),
    "order by the name of one that is not selected": (sa.select(User.id).order_by("email"), [1, 2, 3]),
    "asc": (sa.select(User.id).order_by(sa.asc(User.email)), [1, 2, 3]),
    "desc": (sa.select(User.id).order_by(sa.desc(User.email)), [3, 2, 1]),
    "nulls_last": (sa.select(User.id).order_by(sa.nulls_last(User.email)), [1, 2, 3]),
    "desc of a label": (sa.select(User.id).order_by(User.email.label("e").desc()), [3, 2, 1]),
    "order in a sub-query": (sa.select(sa.select(User.id).order_by(User.email.label("e")).limit(1).subquery()), [1]),
    "order of a sub-query's column": (sa.select(SUB.c.id).order_by(SUB.c.e), [1, 2, 3]),
    "order of a CTE's column": (sa.select((C := sa.select(User.id, User.name).cte()).c.id).order_by(C.c.name, C.c.id), [1, 2, 3]),
    "order of a UNION ALL": (sa.union_all(sa.select(User.id, User.email)).order_by("email"), [1, 2, 3]),
    "order of a scalar sub-query": (sa.select(User.id).order_by(sa.select(O.email).where(O.id == User.id).scalar_subquery()), [1, 2, 3]),
    "order of objects": (lambda s: [each.id for each in s.query(User).order_by(User.__table__.c.email)], [1, 2, 3]),
    "window": (sa.select(sa.func.rank().over(order_by=User.email.label("e"))), [1, 2, 3]),
    "partition": (sa.select(sa.func.count().over(partition_by=User.name.label("n"))), [1, 2, 2]),
    "group": (sa.select(sa.func.count(User.id)).group_by(User.name.label("n")), [1, 2]),
    "group by name": (sa.select(sa.func.count(), User.name).group_by("name"), [1, 2]),
    # Equal rows.
    "distinct": (sa.select(User.name.label("q")).distinct(), ["Ann", "Bob"]),
    "distinct, not the row's own key": (sa.select(Order.id, User.name).join(Order.user).distinct(), [1, 2, 3]),
    "distinct from a sub-query": (sa.select(sa.select(User.name).subquery()).distinct(), ["Ann", "Bob"]),
    "distinct, the other's key": (sa.select(User.id, O.name).where(User.id == O.id).distinct(), [1, 2, 3]),
    "union": (sa.union(sa.select(User.name), sa.select(O.name)), ["Ann", "Bob"]),
    "union of labels": (sa.select(sa.union(sa.select(User.name.label("q")), sa.select(O.name)).subquery()), ["Ann", "Bob"]),
    "intersect": (sa.intersect(sa.select(User.email), sa.select(Order.address)), ["a@x.org", "c@x.org"]),
    "except": (sa.except_(sa.select(User.email), sa.select(Order.address)), ["b@x.org"]),
    "union with a plain one": (sa.union_all(sa.select(User.plan), sa.select(User.email)), None),
    "union of other tables' rows": (sa.union(sa.select(User.id, User.email), sa.select(Order.id, Order.address)), None),
    # Functions and casts.
    "max of a label": (sa.select(sa.func.max(User.name.label("n"))), ["Bob"]),
    "lower of a label": (sa.select(sa.func.lower(User.name.label("n"))), ["ann", "bob", "bob"]),
    "cast of a label": (sa.select(sa.cast(User.name.label("n"), sa.Text)), ["Ann", "Bob", "Bob"]),
    "function of a type_coerce": (sa.select(sa.func.upper(sa.type_coerce(User.name, sa.Text))), ["ANN", "BOB", "BOB"]),
    "function of a scalar sub-query": (sa.select(sa.func.upper(sa.select(User.name).where(User.id == 1).scalar_subquery())), ["ANN"]),
    "count of the distinct": (sa.select(sa.func.count(sa.distinct(User.name))), [2]),
    "count of the distinct, of a label": (sa.select(sa.func.count(User.name.label("n").distinct())), [2]),
    "filtered": (sa.select(sa.func.count(User.id).filter(User.plan == User.email)), [1]),
    "collated": (sa.select(User.id).where(sa.collate(User.name, "NOCASE") == "ANN"), [1]),
    # Written where it is not sealed.
    "written to a plain column": (sa.update(User).values(plan=User.email), None),
    "written to a plain column, in an order": (sa.update(User).ordered_values((User.plan, User.email)), None),
    "written to a plain column, computed": (sa.update(User).values(plan=sa.func.coalesce(User.email, "")), None),
    "written to a plain column of another table": (sa.update(Order).values(note=sa.select(User.name).limit(1).scalar_subquery()), None),
    "a typed parameter to a plain column": (sa.insert(Order).values(user_id=1, note=TYPED), None),
    "among several rows": (sa.insert(Order).values([{"user_id": 1, "note": sa.select(User.name).limit(1).scalar_subquery()}]), None),
    "inserted from a select": (sa.insert(Order).from_select(["user_id", "note"], sa.select(User.id, User.email)), None),
    "on a conflict": (
        (upsert := sqlite.insert(User).values(id=1, email="z@x.org")).on_conflict_do_update(
            index_elements=["id"], set_={"plan": upsert.excluded.email}
        ),
        None,
    ),
    "on a conflict, a condition": (
        upsert.on_conflict_do_update(index_elements=["id"], set_={"plan": "x"}, where=User.plan == upsert.excluded.email), None
    ),
    "returned of a function": (sa.update(Order).values(note="x").returning(sa.func.lower(Order.address)), None),
    "deleted where": (sa.delete(Order).where(Order.note == Order.address), None),
    "updated where": (sa.update(User).where(User.plan == User.email).values(plan="x"), None),
    "flushed": (lambda s: (setattr(s.get(User, 1), "plan", U.c.email), s.flush()), None),
}  # fmt: skip


def ask(session: orm.Session, question: Any) -> list[Any]:
    """The first column of the rows, or the ids of the users where the question holds."""
    if isinstance(question, sa.ColumnElement):
        question = sa.select(User.id).where(question).order_by(User.id)
    elif callable(question) and not hasattr(question, "_execute_on_connection"):
        return list(question(session) or ())
    return list(session.execute(question).scalars())


@pytest.mark.parametrize("what", REFUSED)
def test_what_has_no_answer_is_refused(what: str, session: orm.Session) -> None:
    before = contents(session)
    for _ in range(2):
        # The second time SQLAlchemy has the statement compiled.
        with pytest.raises((sealite.Refused, sealite.NotIndexed)) as refused:
            ask(session, REFUSED[what][0])
        assert "sealed" in str(refused.value)
        session.rollback()
    assert contents(session) == before


def contents(session: orm.Session) -> list[Any]:
    return [session.execute(sa.text(f"SELECT * FROM {name} ORDER BY id")).all() for name in ("users", "staff", "orders")]


@pytest.mark.parametrize("what", [what for what, (_, answer) in REFUSED.items() if answer is not None])
def test_the_engine_answers_it(what: str, sealed: orm.Session) -> None:
    question, answer = REFUSED[what]
    found = ask(sealed, question)
    assert found == answer if "order" in what or "desc" in what else sorted(found, key=repr) == answer


def emails(users: Any) -> list[str | None]:
    return [user.email for user in users]


ALL = ["a@x.org", "b@x.org", "c@x.org"]
BY_EMAIL = sa.select(User.id, User.email, User.name, User.plan)
NUMBERED = sa.select(User.id, User.email, sa.literal(1).label("n")).cte("numbered", recursive=True)
# What gives this list, in either database.
ANSWERED: dict[str, tuple[Callable[[orm.Session], Any], list[Any]]] = {
    "columns": (lambda s: s.scalars(sa.select(User.email)), ALL),
    "labels": (lambda s: s.scalars(sa.select(User.email.label("e")).order_by(User.id)), ALL),
    "objects": (lambda s: emails(s.scalars(sa.select(User))), ALL),
    "get": (lambda s: emails([s.get(User, 1)]), ALL[:1]),
    "get, locked": (lambda s: emails([s.get(User, 1, with_for_update=True)]), ALL[:1]),
    "refresh": (lambda s: (user := s.get_one(User, 1), s.expire(user), s.refresh(user), user.email)[3:], ALL[:1]),
    "by index": (lambda s: s.scalars(sa.select(User.id).where(User.email.in_(["A@x.org", "c@x.org"]))), [1, 3]),
    "by two indexes": (lambda s: s.scalars(sa.select(User.id).join(Order, User.email == Order.address)), [1, 3]),
    "by index, not": (lambda s: s.scalars(sa.select(User.id).where(~(User.email == "a@x.org"))), [2, 3]),
    "itself": (lambda s: s.scalars(sa.select(User.id).where(User.email == User.email)), [1, 2, 3]),
    "NULL": (lambda s: s.scalars(sa.select(Order.id).where(Order.address.is_(None))), [2]),
    "not NULL": (lambda s: s.scalars(sa.select(Order.id).where(Order.address != None)), [1, 3]),  # noqa: E711
    "NULL of a label": (lambda s: s.scalars(sa.select(Order.id).where(sa.null().is_(Order.address.label("a")))), [2]),
    "counted": (lambda s: s.scalars(sa.select(sa.func.count(Order.address))), [2]),
    "counted, by label and group": (
        lambda s: s.execute(sa.select(sa.func.count(User.name.label("n"))).group_by(User.plan)).scalars(), [1, 1, 1]
    ),
    "counted over": (lambda s: s.scalars(sa.select(sa.func.count(User.email).over(partition_by=User.id))), [1, 1, 1]),
    "selectinload": (lambda s: [o.address for u in s.scalars(sa.select(User).options(orm.selectinload(User.orders))) for o in u.orders], ["a@x.org", None, "c@x.org"]),
    "subqueryload": (lambda s: [o.address for u in s.scalars(sa.select(User).options(orm.subqueryload(User.orders))) for o in u.orders], ["a@x.org", None, "c@x.org"]),
    "joinedload": (lambda s: [o.address for u in s.scalars(sa.select(User).options(orm.joinedload(User.orders))).unique() for o in u.orders], ["a@x.org", None, "c@x.org"]),
    "joinedload of a page": (
        lambda s: emails(s.scalars(sa.select(User).options(orm.joinedload(User.orders)).order_by(User.plan).limit(2)).unique()), ALL[:2]
    ),
    "joinedload, distinct": (lambda s: emails(s.scalars(sa.select(User).distinct().options(orm.joinedload(User.orders))).unique()), ALL),
    "contains_eager": (
        lambda s: emails(o.user for o in s.scalars(sa.select(Order).join(Order.user).options(orm.contains_eager(Order.user)))), ["a@x.org", "a@x.org", "b@x.org"]
    ),
    "lazy": (lambda s: emails(o.user for o in s.scalars(sa.select(Order))), ["a@x.org", "a@x.org", "b@x.org"]),
    "deferred": (lambda s: emails(s.scalars(sa.select(User).options(orm.load_only(User.id)))), ALL),
    "aliased": (lambda s: emails(s.scalars(sa.select(O).order_by(O.plan.desc()))), ["c@x.org", "b@x.org", "a@x.org"]),
    "aliased to a sub-query": (
        lambda s: emails(s.scalars(sa.select(orm.aliased(User, sa.select(User).order_by(User.id).limit(2).subquery())))), ALL[:2]
    ),
    "bundle": (lambda s: [row[0].email for row in s.execute(sa.select(orm.Bundle("b", User.id, User.email)))], ALL),
    "sub-query": (lambda s: s.scalars(sa.select(SUB.c.e).where(SUB.c.plan != "free").order_by(SUB.c.id)), ["a@x.org", "c@x.org"]),
    "CTE": (lambda s: s.scalars(sa.select((c := BY_EMAIL.cte()).c.email).order_by(c.c.plan)), ALL),
    "recursive CTE": (
        lambda s: s.scalars(
            sa.select((c := NUMBERED.union_all(sa.select(NUMBERED.c.id, NUMBERED.c.email, NUMBERED.c.n + 1).where(NUMBERED.c.n < 2))).c.email)
            .where(c.c.n == 2)
        ), ALL,
    ),
    "union all": (lambda s: s.scalars(sa.union_all(sa.select(User.email), sa.select(Order.address), sa.select(sa.null()))), [*ALL, "a@x.org", None, "c@x.org", None]),
    "union with the keys": (
        lambda s: [row.email for row in s.execute(sa.union(sa.select(User.id, User.email, User.plan), sa.select(O.id, O.email, sa.null())).order_by("id"))],
        ["a@x.org", "a@x.org", "b@x.org", "b@x.org", "c@x.org", "c@x.org"],
    ),
    "union of the same rows": (lambda s: s.scalars(sa.union(sa.select(User.id, User.email), sa.select(O.id, O.email))), [1, 2, 3]),
    "union of objects": (lambda s: emails(s.query(User).filter_by(id=1).union(s.query(User).filter(User.id < 3)).order_by(User.id)), ALL[:2]),
    "distinct with the key": (lambda s: s.scalars(sa.select(User.email, User.id).join(User.orders).distinct()), ALL[:2]),
    "distinct objects": (lambda s: emails(s.scalars(sa.select(User).join(User.orders).distinct())), ALL[:2]),
    "distinct of a sub-query": (lambda s: s.scalars(sa.select(SUB.c.e, SUB.c.id).distinct()), ALL),
    "paged": (lambda s: emails(s.scalars(sa.select(User).order_by(User.plan.desc(), User.id).limit(1).offset(1))), ["b@x.org"]),
    "order by a name": (lambda s: s.scalars(sa.select(User.email).order_by("plan")), ALL),
    "order by a label of that name": (lambda s: s.scalars(sa.select(User.plan.label("email")).order_by("email")), ["a@x.org", "free", "pro"]),
    "scalar sub-query": (lambda s: s.scalars(sa.select(sa.select(O.email).where(O.id == User.id).scalar_subquery(), User.id)), ALL),
    "exists": (lambda s: s.scalars(sa.select(User.id).where(sa.exists(sa.select(O.email, O.id).where(O.email == User.email, O.id == 2)))), [2]),
    "any": (lambda s: s.scalars(sa.select(User.id).where(User.orders.any(Order.address == "c@x.org"))), [2]),
    "has": (lambda s: s.scalars(sa.select(Order.id).where(Order.user.has(User.email == "b@x.org"))), [3]),
    "columns changed later": (lambda s: s.scalars(sa.select(User.email).join(User.orders).with_only_columns(Order.address).where(Order.id == 3)), ["c@x.org"]),
    "columns added later": (lambda s: [row[1] for row in s.execute(sa.select(User.id).add_columns(User.email))], ALL),
    "lateral join of a sub-query": (lambda s: s.scalars(sa.select(User.email).join(SUB, SUB.c.id == User.id)), ALL),
    "from_statement": (lambda s: emails(s.scalars(sa.select(User).from_statement(sa.select(User).where(User.id == 2)))), ["b@x.org"]),
    "text with columns": (lambda s: s.scalars(sa.text("SELECT email FROM users WHERE id = 2").columns(User.email)), ["b@x.org"]),
    "in a lambda": (lambda s: s.scalars(sa.lambda_stmt(lambda: sa.select(User.email).where(User.email == "b@x.org"))), ["b@x.org"]),
    "criteria of a loader": (lambda s: s.scalars(sa.select(User.id).options(orm.with_loader_criteria(User, User.email == "b@x.org"))), [2]),
    "update, returning": (lambda s: s.scalars(sa.update(User).where(User.email == "a@x.org").values(name="Anna").returning(User.name)), ["Anna"]),
    "update, objects": (
        lambda s: emails(s.scalars(sa.update(User).where(User.id == 1).values(email="z@x.org", plan="z").returning(User))), ["z@x.org"]
    ),
    "update, from another": (
        lambda s: (s.execute(sa.update(User).where(User.id == Order.user_id, Order.address == "c@x.org").values(plan=User.plan + "!")), s.get(User, 2).plan)[1:],
        ["free!"],
    ),
    "update in bulk": (lambda s: (s.execute(sa.update(User), [{"id": 2, "email": "z@x.org"}]), s.get(User, 2).email)[1:], ["z@x.org"]),
    "insert in bulk, returning": (
        lambda s: s.scalars(sa.insert(User).returning(User.email, sort_by_parameter_order=True), [{"email": f"{n}@x.org"} for n in range(3)]),
        ["0@x.org", "1@x.org", "2@x.org"],
    ),
    "insert of several": (lambda s: s.scalars(sa.insert(User).values([{"email": "p@x.org", "plan": sa.func.upper("p")}]).returning(User.plan)), ["P"]),
    "insert of what is selected": (
        lambda s: s.scalars(sa.insert(Order).from_select(["user_id", "note"], sa.select(User.id, User.plan).where(User.email == "b@x.org")).returning(Order.note)), ["free"]
    ),
    "delete, returning": (lambda s: s.scalars(sa.delete(Order).where(Order.address == "c@x.org").returning(Order.address)), ["c@x.org"]),
    "its bytes": (lambda s: [type(s.scalar(sa.select(sa.type_coerce(User.email, sa.types.NullType())))) in (bytes, str)], [True]),
}  # fmt: skip


@pytest.mark.parametrize("database", ["session", "sealed"])
@pytest.mark.parametrize("what", ANSWERED)
def test_what_has_an_answer_is_answered(what: str, database: str, request: pytest.FixtureRequest) -> None:
    asked, answer = ANSWERED[what]
    # The database orders by what it likes where nothing is said.
    found = list(asked(request.getfixturevalue(database)))
    assert sorted(found, key=repr) == sorted(answer, key=repr)


def test_an_inherited_key_tells_rows_apart(session: orm.Session) -> None:
    for columns in ((Staff,), (Staff.id, Staff.badge, Staff.name)):
        assert session.scalars(sa.select(*columns).distinct()).all()
    with pytest.raises(sealite.Refused):
        session.execute(sa.select(Staff.kind, Staff.badge).distinct())


def test_a_statement_is_looked_through_once(session: orm.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []
    look = _questions._Walk.look
    monkeypatch.setattr(_questions._Walk, "look", lambda walk, statement: (looked.append(statement), look(walk, statement)))
    for number in range(5):
        session.execute(sa.select(User.id).where(User.email == f"{number}@x.org", User.plan == "once")).all()
    assert looked and len(looked) <= 2, "as it was written, and as the ORM has made it"


def test_a_write_by_a_lambda_is_refused(session: orm.Session) -> None:
    """Else the index would be left behind."""
    for write in (lambda: sa.update(User).values(email="z@x.org"), lambda: sa.insert(User.__table__).values(email="z@x.org")):
        with pytest.raises(sealite.Refused):
            session.execute(sa.lambda_stmt(write))
    session.execute(sa.lambda_stmt(lambda: sa.delete(Order).where(Order.address == "a@x.org")))
    assert len(session.scalars(sa.select(Order)).all()) == 2
