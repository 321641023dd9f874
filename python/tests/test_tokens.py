"""Tokens: what is issued holds for what it is for, once or often, until it is used up, revoked or past its time."""

import copy
import json
import pickle
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import sealite
from sealite import Vault

ONE_SHOT = ["magic_link", "reset", "invite"]
MANY = ["admin", "user", "api_key", "session", "refresh"]
NOBODY = "0" * 24


def test_a_session_holds_and_says_whose_it_is(vault: Vault) -> None:
    before = datetime.now(timezone.utc) - timedelta(milliseconds=1)
    issued = vault.tokens.issue(
        "session", subject="user-7", label="phone", scopes=["write", "read"], data={"theme": "dark"}, idle=1800
    )
    session = vault.tokens.verify(issued.text, "session")
    assert (session.id, session.kind, session.subject) == (issued.token.id, "session", "user-7")
    assert (session.label, session.scopes, session.enabled) == ("phone", ["read", "write"], True)
    assert session.data == {"theme": "dark"}
    assert before <= session.created_at <= datetime.now(timezone.utc)
    assert session.expires_at is not None and session.expires_at - session.created_at == timedelta(days=7)
    assert session.idle == 1800.0 and session.uses_left is None and session.family is None
    assert session.has_scope("read") and not session.has_scope("rea")
    assert (session.not_before, session.revoked_at, session.successor, session.is_imported) == (None,) * 3 + (False,)


def test_no_text_and_no_secret_is_in_what_is_shown(vault: Vault) -> None:
    issued = vault.tokens.issue("api_key", subject="somebody", label="private")
    code = vault.tokens.issue_code("somebody")
    secret = issued.text[-49:]
    entry = sealite.LegacyEntry.from_token("admin", "old secret", subject="somebody")
    for shown in [issued, issued.token, code, code.token, vault.tokens, entry, sealite.PasswordHasher()]:
        text = repr(shown) + str(shown)
        for hidden in [secret, "somebody", "private", "old secret", code.code]:
            assert hidden not in text
    for closed in [issued, issued.token, code, vault.tokens, entry]:
        for attempt in [pickle.dumps, copy.copy, copy.deepcopy]:
            with pytest.raises(TypeError):
                attempt(closed)


@pytest.mark.parametrize("kind", MANY)
def test_a_kind_is_not_taken_for_another(vault: Vault, kind: str) -> None:
    issued = vault.tokens.issue(kind)  # type: ignore[arg-type]
    assert vault.tokens.verify(issued.text, MANY).kind == kind  # type: ignore[arg-type]
    others = [other for other in [*MANY, *ONE_SHOT, "break_glass", "short_code"] if other != kind]
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.verify(issued.text, others)  # type: ignore[arg-type]
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.verify(issued.text, [])


def test_a_missing_scope_is_denied_not_rejected(vault: Vault) -> None:
    issued = vault.tokens.issue("api_key", scopes=("orders:read",))
    vault.tokens.verify(issued.text, "api_key", scopes=["orders:read"])
    with pytest.raises(sealite.Denied):
        vault.tokens.verify(issued.text, "api_key", scopes=["orders:read", "orders:write"])


@pytest.mark.parametrize("text", ["", "x", "slses_", "\0", "é" * 70, "\udcff", "slses_" + "0" * 66, "a" * 10_000])
def test_whatever_is_no_token_is_rejected(vault: Vault, text: str) -> None:
    tokens = vault.tokens
    for call in [tokens.verify, tokens.peek, tokens.consume]:
        with pytest.raises(sealite.TokenRejected, match="^the token is not valid$"):
            call(text, "session")
    with pytest.raises(sealite.TokenRejected):
        tokens.rotate(text, "session", grace=30)
    with pytest.raises(sealite.TokenRejected):
        tokens.verify_code(text, text)
    assert not sealite.is_token_text(text) and not tokens.check_csrf(text, text)
    with pytest.raises(sealite.TokenRejected):
        tokens.csrf(text)


@pytest.mark.parametrize("kind", ONE_SHOT)
def test_a_link_works_once(vault: Vault, kind: str) -> None:
    issued = vault.tokens.issue(kind, subject="ada")  # type: ignore[arg-type]
    assert vault.tokens.peek(issued.text, [kind]).uses_left == 1  # type: ignore[list-item]
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.verify(issued.text, [kind])  # type: ignore[list-item]
    assert vault.tokens.consume(issued.text, [kind]).uses_left == 0  # type: ignore[list-item]
    for call in [vault.tokens.peek, vault.tokens.consume]:
        with pytest.raises(sealite.TokenRejected):
            call(issued.text, [kind])  # type: ignore[list-item]


def test_a_new_link_replaces_the_older(vault: Vault) -> None:
    first = vault.tokens.issue("reset", subject="ada")
    second = vault.tokens.issue("reset", subject="ada", replace_older=True)
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.peek(first.text, "reset")
    vault.tokens.consume(second.text, "reset")


def test_of_many_threads_one_gets_the_use(vault: Vault) -> None:
    for kind in ["magic_link", "break_glass"]:
        issued = vault.tokens.issue(kind)  # type: ignore[arg-type]
        if kind == "break_glass":
            vault.tokens.arm(issued.token.id, "outage", 60)
        won, lost = [], []
        barrier = threading.Barrier(16)

        def use(text: str = issued.text, kind: str = kind) -> None:
            barrier.wait()
            try:
                won.append(vault.tokens.consume(text, kind))  # type: ignore[arg-type]
            except sealite.TokenRejected:
                lost.append(1)

        threads = [threading.Thread(target=use) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(won), len(lost)) == (1, 15)


def test_a_use_in_a_transaction_is_taken_where_it_commits(vault: Vault) -> None:
    issued = vault.tokens.issue("invite")
    with pytest.raises(ZeroDivisionError), vault.transaction() as tx:
        tx.tokens.consume(issued.text, "invite")
        1 / 0
    with vault.transaction() as tx:
        tx.tokens.consume(issued.text, "invite")
        tx.table("users").insert(email="ada@example.org")
        with pytest.raises(sealite.TokenRejected):
            tx.tokens.consume(issued.text, "invite")
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.peek(issued.text, "invite")
    with pytest.raises(sealite.Closed):
        tx.tokens.get(issued.token.id)
    with pytest.raises(sealite.Closed):
        vault.transaction().tokens  # noqa: B018


def test_what_a_roll_back_must_not_undo_is_refused_in_a_transaction(vault: Vault) -> None:
    session, code = vault.tokens.issue("session"), vault.tokens.issue_code("ada")
    with vault.transaction() as tx:
        for tokens in [tx.tokens, vault.tokens]:
            with pytest.raises(sealite.Refused):
                tokens.rotate(session.text, "session", grace=0)
            with pytest.raises(sealite.Refused):
                tokens.verify_code(code.token.id, code.code)
            with pytest.raises(sealite.Refused):
                tokens.issue_code("ada")
    assert vault.tokens.verify_code(code.token.id, code.code).subject == "ada"


def test_a_code_has_so_many_attempts(vault: Vault) -> None:
    issued = vault.tokens.issue_code("ada", digits=8, attempts=2, expires_in=timedelta(minutes=5))
    assert re.fullmatch("[0-9]{8}", issued.code) and issued.token.attempts_left == 2
    wrong = "0" * 8 if issued.code != "0" * 8 else "1" * 8
    for _ in range(2):
        with pytest.raises(sealite.TokenRejected):
            vault.tokens.verify_code(issued.token.id, wrong)
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.verify_code(issued.token.id, issued.code)
    again = vault.tokens.issue_code("ada")
    vault.tokens.verify_code(again.token.id, again.code)
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.verify_code(again.token.id, again.code)
    for wrong_request in [{"digits": 5}, {"digits": 300}, {"attempts": 0}, {"attempts": -1}, {"expires_in": 86_401}]:
        with pytest.raises(sealite.InvalidInput):
            vault.tokens.issue_code("ada", **wrong_request)  # type: ignore[arg-type]


def test_break_glass_works_only_while_it_is_armed(vault: Vault) -> None:
    issued = vault.tokens.issue("break_glass")
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.consume(issued.text, "break_glass")
    for _ in range(2):
        armed = vault.tokens.arm(issued.token.id, "outage", timedelta(minutes=15))
        assert armed.armed_reason == "outage" and armed.armed_until is not None
        with pytest.raises(sealite.TokenRejected):
            vault.tokens.verify(issued.text, ["admin", "break_glass"])
        vault.tokens.consume(issued.text, "break_glass")
        with pytest.raises(sealite.TokenRejected):
            vault.tokens.consume(issued.text, "break_glass")
    vault.tokens.arm(issued.token.id, "outage", 60)
    assert vault.tokens.disarm(issued.token.id) and not vault.tokens.disarm(issued.token.id)
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.consume(issued.text, "break_glass")
    used = [event for event in vault.audit.tail(100) if event.event == "token.break_glass_used"]
    assert len(used) == 2


def test_a_rotated_token_gives_the_same_successor_within_its_grace(vault: Vault) -> None:
    first = vault.tokens.issue("refresh", subject="ada")
    access = vault.tokens.issue("session", subject="ada", family=first.token.family)
    second = vault.tokens.rotate(first.text, "refresh", grace=3600)
    assert vault.tokens.rotate(first.text, "refresh", grace=3600).text == second.text != first.text
    assert second.token.family == first.token.family == access.token.family
    assert vault.tokens.get(first.token.id).successor == second.token.id
    third = vault.tokens.rotate(second.text, "refresh", grace=0)
    with pytest.raises(sealite.TokenRejected):  # past its grace: somebody else has it
        vault.tokens.rotate(second.text, "refresh", grace=0)
    for text, kind in [(third.text, "refresh"), (access.text, "session")]:
        with pytest.raises(sealite.TokenRejected):
            vault.tokens.verify(text, kind)  # type: ignore[arg-type]


def test_revocation_reaches_other_handles_and_is_not_undone(vault: Vault, path: Path, unlock: sealite.Unlock) -> None:
    tokens = vault.tokens
    old = [tokens.issue("session", subject="ada") for _ in range(3)]
    link, bob = tokens.issue("reset", subject="ada"), tokens.issue("session", subject="bob")
    with sealite.Vault.open(path, unlock) as other:
        assert tokens.revoke_kind("ada", "session", keep=old[0].token.id) == 2
        other.tokens.verify(old[0].text, "session")
        tokens.revoke_subject("ada")
        new = tokens.issue("session", subject="ada")
        for issued in old:
            with pytest.raises(sealite.TokenRejected):
                other.tokens.verify(issued.text, "session")
        with pytest.raises(sealite.TokenRejected):
            other.tokens.consume(link.text, "reset")
        assert other.tokens.verify(new.text, "session").subject == "ada"
        other.tokens.verify(bob.text, "session")


def test_administration_goes_by_the_id(vault: Vault) -> None:
    tokens = vault.tokens
    issued = tokens.issue("admin", subject="ada")
    id = issued.token.id
    assert re.fullmatch("[0-9a-f]{24}", id) and id not in issued.text
    assert tokens.disable(id) and not tokens.disable(id) and not tokens.get(id).enabled
    with pytest.raises(sealite.TokenRejected):
        tokens.verify(issued.text, "admin")
    assert tokens.enable(id) and not tokens.enable(id)
    tokens.verify(issued.text, "admin")
    assert [token.id for token in tokens.list(subject="ada", kind="admin", active=True)] == [id]
    assert tokens.revoke(id) and not tokens.revoke(id)
    assert tokens.get(id).revoked_at is not None and tokens.list(active=True) == []
    assert tokens.purge(timedelta(days=1)) == 0 and tokens.purge(0) == 1
    for call in [tokens.get, tokens.revoke, tokens.enable, tokens.disable, tokens.disarm]:
        with pytest.raises(sealite.NotFound):
            call(NOBODY)
    assert tokens.list(limit=0) == [] and tokens.list(subject="nobody") == []


def test_tenants_do_not_reach_each_others_tokens(vault: Vault) -> None:
    acme, beta = vault.tenant("acme"), vault.tenant("beta")
    issued = acme.tokens.issue("session", subject="ada")
    acme.tokens.verify(issued.text, "session")
    for tokens in [beta.tokens, vault.tokens]:
        with pytest.raises(sealite.TokenRejected):
            tokens.verify(issued.text, "session")
        with pytest.raises(sealite.NotFound):
            tokens.revoke(issued.token.id)
        tokens.revoke_subject("ada")
        assert tokens.list() == []
    with acme.transaction() as tx:
        assert tx.tokens.verify(issued.text, "session").subject == "ada"


def test_an_api_key_carries_limits_of_its_own(vault: Vault) -> None:
    key = vault.tokens.issue("api_key", limits="2/hour").token
    assert key.limits is not None
    assert [str(limit) for limit in key.quota_limits] == [key.limits]
    assert vault.tokens.issue("api_key").token.quota_limits == []
    charges = [bool(vault.quotas.check_and_charge(key.quota_key, key.quota_limits)) for _ in range(3)]
    assert charges == [True, True, False] and key.quota_key == f"token:{key.id}"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"expires_in": "soon"}, sealite.InvalidInput),
        ({"expires_in": -1}, sealite.InvalidInput),
        ({"expires_in": float("nan")}, sealite.InvalidInput),
        ({"expires_in": []}, sealite.TypeMismatch),
        ({"scopes": "read"}, sealite.TypeMismatch),
        ({"scopes": [b"read"]}, sealite.TypeMismatch),
        ({"scopes": ["two words"]}, sealite.InvalidInput),
        ({"data": object()}, sealite.TypeMismatch),
        ({"data": "{"}, sealite.InvalidInput),
        ({"uses": 0}, sealite.InvalidInput),
        ({"uses": -1}, sealite.InvalidInput),
        ({"uses": 2**40}, sealite.InvalidInput),
        ({"limits": "often"}, sealite.InvalidInput),
        ({"prefix": "Not a prefix"}, sealite.InvalidInput),
        ({"replace_older": True}, sealite.InvalidInput),
        ({"family": NOBODY}, sealite.NotFound),
    ],
)
def test_a_wrong_request_is_not_issued(vault: Vault, wrong: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        vault.tokens.issue("session", **wrong)  # type: ignore[arg-type]
    with pytest.raises(sealite.InvalidInput, match="short_code"):
        vault.tokens.issue("cookie")  # type: ignore[arg-type]
    with pytest.raises(sealite.InvalidInput, match="issue_code"):
        vault.tokens.issue("short_code")
    assert vault.tokens.list() == []


def test_times_are_as_they_were_asked_for(vault: Vault) -> None:
    assert vault.tokens.issue("session", expires_in="never").token.expires_at is None
    assert vault.tokens.issue("admin").token.expires_at is None
    for given in [3600, 3600.0, timedelta(hours=1)]:
        token = vault.tokens.issue("session", expires_in=given).token
        assert token.expires_at is not None and token.expires_at - token.created_at == timedelta(hours=1)
    later = vault.tokens.issue("session", not_before_in=3600)
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.verify(later.text, "session")
    assert vault.tokens.issue("invite", uses=3).token.uses_left == 3


def test_csrf_tokens_belong_to_their_session(vault: Vault) -> None:
    tokens = vault.tokens
    one, other = tokens.issue("session").text, tokens.issue("session").text
    first, second = tokens.csrf(one), tokens.csrf(one)
    assert first != second and len(first) == 86
    for form in [first, second]:
        assert tokens.check_csrf(one, form) and not tokens.check_csrf(other, form)
    for form in ["", "x", first[:-1], first + "A", one, "\udcff"]:
        assert not tokens.check_csrf(one, form)


def test_scanners_know_the_text_of_a_token(vault: Vault) -> None:
    text = vault.tokens.issue("api_key", prefix="acme_live").text
    assert sealite.is_token_text(text) and text.startswith("acme_live_")
    found = re.search(sealite.TOKEN_PATTERN, f"key = '{text}'; # leaked")
    assert found is not None and text in found[0]
    assert not sealite.is_token_text(text[:-1] + ("0" if text[-1] != "0" else "1"))


# SHA-256 of "correct horse battery staple".
HASH = "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a"
TOKEN = "correct horse battery staple"


def test_tokens_made_elsewhere_work_unchanged(vault: Vault) -> None:
    entries = [
        sealite.LegacyEntry.from_hash("admin", f"sha256:{HASH}", subject="ops", label="Ops"),
        sealite.LegacyEntry.from_token("user", "another old token", enabled=False),
    ]
    done = vault.tokens.import_legacy(entries)
    assert (done.imported, done.known) == (2, 0)
    again = vault.tokens.import_legacy(iter(entries))
    assert (again.imported, again.known) == (0, 2)
    for _ in range(2):  # the first use gives it a keyed hash
        token = vault.tokens.verify(TOKEN, "admin")
        assert token.is_imported and (token.subject, token.label) == ("ops", "Ops")
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.verify("another old token", "user")


def test_a_file_of_old_tokens_is_taken_whole_or_refused(vault: Vault) -> None:
    admin = json.dumps({"ops": {"hash": HASH, "breakglass": True, "created": 1_700_000_000, "enabled": True}})
    (entry,) = sealite.LegacyEntry.admin_tokens(admin)
    assert entry.kind == "break_glass"
    (user,) = sealite.LegacyEntry.users(json.dumps([{"id": "u1", "name": "Ada", "hash": HASH, "enabled": True}]))
    assert user.kind == "user"
    assert sealite.LegacyEntry.admin_tokens("[]") == []
    with pytest.raises(sealite.Corrupt):
        sealite.LegacyEntry.admin_tokens(admin[:-1])
    with pytest.raises(sealite.InvalidInput) as caught:
        sealite.LegacyEntry.admin_tokens(json.dumps({"ops": HASH[:-1]}))
    assert HASH[:20] not in str(caught.value)
    with pytest.raises(sealite.InvalidInput):
        sealite.LegacyEntry.from_hash("admin", "short")
    for wrong in [[entry, "text"], "text", 7]:
        with pytest.raises(sealite.TypeMismatch):
            vault.tokens.import_legacy(wrong)  # type: ignore[arg-type]
    assert vault.tokens.list() == []


def test_metrics_count_what_was_refused_by_its_reason(vault: Vault) -> None:
    issued = vault.tokens.issue("session", subject="ada")
    vault.tokens.verify(issued.text, "session")
    vault.tokens.revoke(issued.token.id)
    for text in [issued.text, issued.text[:-1] + ("0" if issued.text[-1] != "0" else "1")]:
        with pytest.raises(sealite.TokenRejected):
            vault.tokens.verify(text, "session")
    metrics = vault.metrics()
    assert (metrics.tokens_issued, metrics.tokens_verified, metrics.tokens_consumed) == (1, 1, 0)
    assert {name: count for name, count in metrics.tokens_rejected.items() if count} == {"revoked": 1, "malformed": 1}


def test_another_process_sees_a_revocation_at_once(vault: Vault, path: Path, run: Callable[..., str]) -> None:
    program = (
        "import sealite, sys\n"
        "vault = sealite.Vault.open(sys.argv[1], sealite.Unlock.environment('APP_KEY'))\n"
        "vault.tokens.verify(sys.argv[2], 'session')\n"
        "vault.tokens.revoke_subject('ada')\n"
    )
    issued = vault.tokens.issue("session", subject="ada")
    vault.tokens.verify(issued.text, "session")
    run(program, path, issued.text)
    with pytest.raises(sealite.TokenRejected):
        vault.tokens.verify(issued.text, "session")


@pytest.mark.parametrize("data", [{"a": [1, None, "€"]}, [1, 2], 7, 1.5, '{"text": true}'])
def test_the_data_of_a_token_comes_back_as_it_was_given(vault: Vault, data: object) -> None:
    issued = vault.tokens.issue("session", data=data)  # type: ignore[arg-type]
    expected = json.loads(data) if isinstance(data, str) else data
    assert issued.token.data == vault.tokens.verify(issued.text, "session").data == expected
    assert vault.tokens.issue("session").token.data is None
