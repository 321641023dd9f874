"""What is sent and not valid is in no answer: not in a 422, nor in the reason that a WebSocket is closed for."""

import enum
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

import fastapi
import pydantic
import pytest
from fastapi import Body, Form, Query
from fastapi.testclient import TestClient
from pydantic_core import PydanticCustomError
from starlette.websockets import WebSocketDisconnect

import sealite
from sealite.fastapi import Sealite

CANARY = "canary4Tq9vZ"


class Plan(enum.Enum):
    FREE = "free"


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


def is_weak(value: str) -> str:
    raise ValueError(f"{value} is too weak")


def is_odd(value: str) -> str:
    raise PydanticCustomError("odd", f"{value} is odd")  # type: ignore[arg-type]


def is_alike(value: str) -> str:
    raise PydanticCustomError("value_error", f"{value} is odd")  # type: ignore[arg-type]


class Account(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    password: Annotated[str, pydantic.Field(max_length=3)] | None = None
    weak: Annotated[str, pydantic.AfterValidator(is_weak)] | None = None
    odd: Annotated[str, pydantic.AfterValidator(is_odd)] | None = None
    alike: Annotated[str, pydantic.AfterValidator(is_alike)] | None = None
    secret: pydantic.SecretStr | None = None
    pin: int | None = None
    born: date | None = None
    device: uuid.UUID | None = None
    url: pydantic.HttpUrl | None = None
    plan: Plan | None = None
    scores: dict[str, int] | None = None
    lines: list[int] | None = None
    pet: Annotated[Cat | Dog, pydantic.Field(discriminator="kind")] | None = None


@pytest.fixture
def client(vault: sealite.Vault) -> Iterator[TestClient]:
    extension = Sealite(vault=vault)
    app = fastapi.FastAPI(lifespan=extension.lifespan)
    extension.install(app)

    @app.post("/accounts")
    def account(account: Account) -> None: ...

    @app.post("/login")
    def login(password: Annotated[str, Form(min_length=40)], code: Annotated[int, Form()] = 0) -> None: ...

    @app.get("/items/{number}")
    def item(number: int, token: Annotated[str, Query(pattern="^a$")] = "a") -> None: ...

    @app.post("/hidden", include_in_schema=False)
    def hidden(pin: Annotated[int, Body(embed=True)]) -> None: ...

    @app.websocket("/socket")
    async def socket(socket: fastapi.WebSocket, number: int) -> None: ...

    with TestClient(app) as client:
        yield client


BODIES: list[tuple[dict[str, Any], list[Any]]] = [
    ({"password": CANARY}, ["body", "password"]),
    ({"weak": CANARY}, ["body", "weak"]),
    ({"odd": CANARY}, ["body", "odd"]),
    ({"alike": CANARY}, ["body", "alike"]),
    ({"secret": {"a": CANARY}}, ["body", "secret"]),
    ({"pin": CANARY}, ["body", "pin"]),
    ({"born": CANARY}, ["body", "born"]),
    ({"device": CANARY}, ["body", "device"]),
    ({"url": CANARY}, ["body", "url"]),
    ({"plan": CANARY}, ["body", "plan"]),
    ({"scores": {CANARY: "x"}}, ["body", "scores", "*"]),
    ({"lines": [1, CANARY]}, ["body", "lines", 1]),
    ({"pet": {"kind": CANARY}}, ["body", "pet"]),
    ({CANARY: 1}, ["body", "*"]),
]


@pytest.mark.parametrize(("body", "place"), BODIES, ids=lambda value: "/".join(map(str, value)) if isinstance(value, list) else "")
def test_what_was_sent_is_not_in_the_answer(client: TestClient, body: dict[str, Any], place: list[Any]) -> None:
    answer = client.post("/accounts", json=body)
    assert answer.status_code == 422 and CANARY not in answer.text
    (detail,) = answer.json()["detail"]
    assert detail.keys() == {"type", "loc", "msg"} and detail["loc"] == place and detail["msg"]


def test_without_the_handler_it_is_there() -> None:
    """So that the tests above look for the right thing."""
    app = fastapi.FastAPI()

    @app.post("/accounts")
    def account(account: Account) -> None: ...

    shown = [CANARY in TestClient(app).post("/accounts", json=body).text for body, _ in BODIES]
    assert sum(shown) == len(BODIES)


def test_forms_parameters_and_broken_bodies_are_the_same(client: TestClient) -> None:
    answers = [
        client.post("/login", data={"password": CANARY, "code": CANARY}),
        client.get(f"/items/{CANARY}?token={CANARY}"),
        client.post("/accounts", content=f'{{"password": "{CANARY}', headers={"Content-Type": "application/json"}),
        client.post("/accounts", content=CANARY),
        client.post("/hidden", json={"pin": CANARY}),
    ]
    for answer in answers:
        assert answer.status_code == 422 and CANARY not in answer.text, answer.text
    places = [detail["loc"] for detail in answers[0].json()["detail"] + answers[1].json()["detail"]]
    assert places == [["body", "password"], ["body", "code"], ["path", "number"], ["query", "token"]]


def test_what_the_schema_asks_for_is_said(client: TestClient) -> None:
    def told(**body: Any) -> str:
        message: str = client.post("/accounts", json=body).json()["detail"][0]["msg"]
        return message

    assert told(password="1234") == "String should have at most 3 characters"
    assert told(plan="x") == "Input should be 'free'"
    assert told(pin="x") == "Input should be a valid integer, unable to parse string as an integer"
    assert told(weak="x") == "the value is not valid"
    assert client.post("/login").json()["detail"][0]["msg"] == "Field required"


def test_a_socket_is_closed_without_a_reason(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect(f"/socket?number={CANARY}"):
        pass
    assert closed.value.code == 1008 and CANARY not in str(closed.value.reason)
