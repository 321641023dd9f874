"""Settings: masks, forms, precedence, history, transfer; and what shows of a value where it is not asked for."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

import sealite
from sealite import CLEAR, KEEP, Settings, Vault

SECRET = "correct horse battery staple"
MASK = "********"


@pytest.fixture
def settings(vault: Vault) -> Settings:
    settings = vault.settings
    settings.define("mail.enabled", "boolean", default=False, category="mail")
    settings.define(
        "smtp.password",
        "text",
        secret=True,
        category="mail",
        description="The password of the mail server",
        requires_restart=True,
        environment="SEALITE_TEST_SMTP_PASSWORD",
        min_length=16,
        guarded_by="mail.enabled",
    )
    settings.define("smtp.port", "integer", default=587, category="mail")
    settings.define("theme", "json", default={"colour": "blue", "font": {"size": 12}})
    return settings


def test_a_definition_is_read_back(settings: Settings) -> None:
    read = settings.read("smtp.password")
    assert (read.name, read.kind, read.secret, read.category) == ("smtp.password", "text", True, "mail")
    assert read.description == "The password of the mail server"
    assert (read.requires_restart, read.required, read.has_default, read.show_last_four) == (True, False, False, False)
    assert (read.environment, read.min_length) == ("SEALITE_TEST_SMTP_PASSWORD", 16)
    assert (read.guarded_by, read.keep_versions) == ("mail.enabled", 50)
    assert (read.source, read.is_set, read.shown, read.value, read.version) == ("unset", False, "", None, 0)
    assert read.changed_at is None and read.changed_by is None
    assert not settings.define("smtp.port", "integer", default=587, category="mail")
    assert [each.name for each in settings.list("mail")] == ["mail.enabled", "smtp.password", "smtp.port"]
    assert len(settings.list()) == 4
    with pytest.raises(sealite.Definition):
        settings.define("smtp.port", "text")
    with pytest.raises(sealite.InvalidInput):
        settings.define("x", "blob")  # type: ignore[arg-type]


def test_a_secret_reads_as_a_mask_and_is_used_and_revealed(vault: Vault, settings: Settings) -> None:
    assert settings.use("smtp.password") is None
    assert settings.write("smtp.password", SECRET, actor="ada")
    assert not settings.write("smtp.password", SECRET, actor="ada")
    read = settings.read("smtp.password")
    assert (read.shown, read.value, read.source, read.version) == (MASK, None, "vault", 1)
    assert read.changed_by == "ada" and read.changed_at is not None and read.changed_at.utcoffset() is not None
    used = settings.use("smtp.password")
    assert used is not None and used.expose() == SECRET and used.kind == "text"
    assert settings.uses("smtp.password") >= 1
    assert settings.reveal("smtp.password", actor="ada", reason="mail is down").expose() == SECRET
    with pytest.raises(sealite.InvalidInput):
        settings.reveal("smtp.password", actor="ada", reason=" ")
    revealed = vault.audit.tail(1)[0]
    assert (revealed.event, revealed.actor) == ("setting.revealed", "ada")
    assert revealed.payload["reason"] == "mail is down"
    assert all(SECRET not in event.json_line() for event in vault.audit)


def test_no_face_of_a_value_shows_it(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.write("smtp.password", SECRET, actor="ada")
    value = settings.use("smtp.password")
    assert value is not None
    with caplog.at_level(logging.INFO):
        logging.info("%s %r", value, value)
    try:
        raise RuntimeError(value)
    except RuntimeError as error:
        shown = "".join(traceback.format_exception(error))
    shown += caplog.text + f"{value} {value!r} {value:>12} {[value]} {str(value)}" + json.dumps({"v": value}, default=str)
    shown += str(dir(value)) + repr(settings) + repr(settings.read("smtp.password")) + repr(settings.list())
    shown += repr(settings.history("smtp.password"))
    assert SECRET not in shown and shown.count(MASK) >= 8
    assert f"{value:>12}" == f"{MASK:>12}"
    for refused in (json.dumps, vars):
        with pytest.raises(TypeError):
            refused(value)
    assert copy.copy(value) is value and copy.deepcopy([value])[0] is value
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        pickled = pickle.dumps({"password": value}, protocol)
        assert SECRET.encode() not in pickled
        back = pickle.loads(pickled)["password"]
        assert str(back) == MASK
        with pytest.raises(sealite.Refused):
            back.expose()
        with pytest.raises(sealite.Refused):
            settings.write("smtp.password", back, actor="ada")
    with pytest.raises(TypeError):
        pickle.dumps(settings)


def test_posting_a_form_back_changes_nothing(settings: Settings) -> None:
    settings.write("smtp.password", SECRET, actor="ada")
    form = {each.name: each.shown for each in settings.list("mail")}
    assert settings.write_form(form, actor="bob") == []
    assert settings.write_form({"smtp.password": "", "smtp.port": "2525"}, actor="bob") == ["smtp.port"]
    assert settings.read("smtp.port").value == 2525
    assert settings.write_form({"smtp.port": ""}, blank_keeps=False, actor="bob") == ["smtp.port"]
    assert (settings.read("smtp.port").source, settings.read("smtp.port").value) == ("default", 587)
    with pytest.raises(sealite.TypeMismatch):
        settings.write_form({"smtp.password": "new password, long", "smtp.port": "many"}, actor="bob")
    assert settings.reveal("smtp.password", actor="ada", reason="test").expose() == SECRET
    with pytest.raises(sealite.TypeMismatch):
        settings.write_form({"smtp.port": 25}, actor="bob")  # type: ignore[dict-item]


def test_a_write_keeps_sets_or_clears(settings: Settings) -> None:
    assert not settings.write("smtp.password", CLEAR, actor="ada")
    assert settings.write("smtp.password", MASK, actor="ada")
    assert settings.reveal("smtp.password", actor="ada", reason="test").expose() == MASK
    assert not settings.write("smtp.password", KEEP, actor="ada")
    settings.write("mail.enabled", True, actor="ada")
    with pytest.raises(sealite.Refused):
        settings.write("smtp.password", CLEAR, actor="ada")
    changed = settings.write_many({"smtp.password": CLEAR, "mail.enabled": False}, actor="ada", reason="moved")
    assert sorted(changed) == ["mail.enabled", "smtp.password"]
    assert not settings.read("smtp.password").is_set
    with pytest.raises(sealite.TypeMismatch):
        settings.write("smtp.password", None, actor="ada")  # type: ignore[arg-type]
    with pytest.raises(sealite.TypeMismatch):
        settings.write("smtp.port", "25", actor="ada")
    with pytest.raises(sealite.NotFound):
        settings.write("unknown", 1, actor="ada")
    assert (repr(KEEP), repr(CLEAR)) == ("sealite.KEEP", "sealite.CLEAR")
    assert pickle.loads(pickle.dumps(KEEP)) is KEEP and copy.deepcopy(CLEAR) is CLEAR


def test_every_type_is_written_as_it_is(settings: Settings) -> None:
    settings.define("ratio", "real")
    for name, given, wanted in [
        ("smtp.port", 2**63 - 1, 2**63 - 1),
        ("ratio", 0.1, 0.1),
        ("mail.enabled", True, True),
        ("theme", '{"a":1}', '{"a":1}'),
        ("theme", {"a": ["ä", None, 1.5]}, '{"a": ["ä", null, 1.5]}'),
    ]:
        settings.write(name, given, actor="ada")  # type: ignore[arg-type]
        value = settings.use(name)
        assert value is not None and value.expose() == wanted
        assert type(value.expose()) is type(wanted)
    with pytest.raises(ValueError):
        settings.write("theme", [float("nan")], actor="ada")
    with pytest.raises(sealite.TypeMismatch):
        settings.write("ratio", {"a": 1}, actor="ada")


def test_the_vault_goes_before_the_environment_and_that_before_the_default(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALITE_TEST_SMTP_PASSWORD", "from the environment")
    assert settings.read("smtp.password").source == "environment"
    value = settings.use("smtp.password")
    assert value is not None and value.expose() == "from the environment"
    settings.write("smtp.password", SECRET, actor="ada")
    assert settings.read("smtp.password").source == "vault"
    assert settings.read("smtp.port").source == "default"


def test_a_tenant_inherits_overrides_and_merges(vault: Vault, settings: Settings) -> None:
    settings.write("smtp.password", SECRET, actor="ada")
    acme = vault.tenant("acme").settings
    assert acme.read("smtp.password").source == "vault"
    inherited = acme.use("smtp.password")
    assert inherited is not None and inherited.expose() == SECRET
    with pytest.raises(sealite.Denied):
        acme.reveal("smtp.password", actor="eve", reason="curious")
    acme.write("theme", {"colour": "red"}, actor="eve")
    merged = acme.use("theme")
    assert merged is not None
    assert json.loads(merged.expose()) == {"colour": "red", "font": {"size": 12}}
    platform = settings.use("theme")
    assert platform is not None and json.loads(platform.expose())["colour"] == "blue"
    with pytest.raises(sealite.NotAllowed):
        acme.define("mine")


def test_history_rolls_back(settings: Settings) -> None:
    settings.write("smtp.password", "the first password", actor="ada")
    settings.write("smtp.password", "the second password", actor="bob", reason="rotation")
    assert settings.roll_back("smtp.password", 1, actor="ada", reason="it was better") == 3
    versions = settings.history("smtp.password")
    assert [(v.version, v.changed_by, v.reason, v.restored) for v in versions] == [
        (1, "ada", None, None),
        (2, "bob", "rotation", None),
        (3, "ada", "it was better", 1),
    ]
    assert {(v.shown, v.is_set) for v in versions} == {(MASK, True)}
    assert all(v.changed_at.utcoffset() is not None for v in versions)
    value = settings.use("smtp.password")
    assert value is not None and value.expose() == "the first password"
    with pytest.raises(sealite.NotFound):
        settings.roll_back("smtp.password", 9, actor="ada")


def test_the_history_is_bounded_as_declared(settings: Settings) -> None:
    settings.define("greeting", keep_versions=2)
    for number in range(1, 5):
        settings.write("greeting", f"hello {number}", actor="ada")
    assert [(one.version, one.shown) for one in settings.history("greeting")] == [(3, "hello 3"), (4, "hello 4")]
    with pytest.raises(sealite.NotFound):
        settings.roll_back("greeting", 2, actor="ada")
    assert settings.roll_back("greeting", 3, actor="ada") == 5
    with pytest.raises(sealite.InvalidInput):
        settings.define("greeting", keep_versions=0)


def test_a_text_is_read_in_the_type_of_the_setting(settings: Settings) -> None:
    assert settings.write_text("smtp.port", " 25 ", actor="ada")
    assert settings.read("smtp.port").value == 25
    assert settings.write_text("mail.enabled", "on", actor="ada")
    assert settings.read("mail.enabled").value is True
    assert not settings.write_text("mail.enabled", "true", actor="ada")
    with pytest.raises(sealite.TypeMismatch) as refused:
        settings.write_text("smtp.port", "hunter2", actor="ada")
    assert "hunter2" not in str(refused.value)


def test_a_start_fails_with_the_names_of_what_is_missing(settings: Settings) -> None:
    assert settings.check().sound
    settings.define("app.secret", secret=True, required=True, min_length=32, environment="SEALITE_TEST_SECRET")
    settings.write("app.secret", "short", actor="ada")
    report = settings.check(["smtp.password", "nowhere"], raising=False)
    assert not report.sound
    assert [(p.name, p.fault, p.min_length) for p in report.problems] == [
        ("app.secret", "too_short", 32),
        ("nowhere", "undefined", None),
        ("smtp.password", "missing", None),
    ]
    assert report.problems[0].environment == "SEALITE_TEST_SECRET"
    with pytest.raises(sealite.Refused, match="app.secret") as caught:
        settings.check(["smtp.password"])
    for shown in (str(caught.value), str(report), repr(report), repr(report.problems)):
        assert "short," not in shown and "'short'" not in shown and "app.secret" in shown
    with pytest.raises(sealite.TypeMismatch):
        settings.check("smtp.password")


def test_what_needs_a_restart_is_told(settings: Settings) -> None:
    assert settings.restart_pending() == []
    settings.write("smtp.port", 25, actor="ada")
    settings.write("smtp.password", SECRET, actor="ada")
    assert settings.restart_pending() == ["smtp.password"]


def test_a_setting_is_turned_secret(settings: Settings) -> None:
    settings.write("smtp.port", 2525, actor="ada")
    assert settings.set_secret("smtp.port", True, actor="ada")
    assert (settings.read("smtp.port").shown, settings.read("smtp.port").value) == (MASK, None)
    with pytest.raises(sealite.InvalidInput):
        settings.set_secret("smtp.port", False, actor="ada")
    assert settings.set_secret("smtp.port", False, actor="ada", reason="a port is none")
    with pytest.raises(sealite.Refused):
        settings.set_secret("smtp.password", False, actor="ada", reason="why not")


def test_exports_read_back(vault: Vault, settings: Settings) -> None:
    settings.write_many({"smtp.password": SECRET + " '\"$\n#", "smtp.port": 25, "theme": {"a": "ä"}}, actor="ada")
    assert SECRET not in settings.export_env(actor="ada") + settings.export_json(actor="ada")
    with pytest.raises(sealite.InvalidInput):
        settings.export_env(actor="ada", include_secrets=True)
    env = settings.export_env(actor="ada", reason="moving", include_secrets=True)
    text = settings.export_json(actor="ada", reason="moving", include_secrets=True)
    assert json.loads(text)["smtp.password"] == SECRET + " '\"$\n#"
    for read, content in [(settings.import_env, env), (settings.import_json, text)]:
        settings.write_many({"smtp.password": "another one, long", "smtp.port": 1}, actor="ada")
        report = read(content, actor="ada")
        assert sorted(report.changed) == ["smtp.password", "smtp.port"] and report.unknown == []
        value = settings.use("smtp.password")
        assert value is not None and value.expose() == SECRET + " '\"$\n#"
    assert settings.import_json('{"nowhere": 1}', actor="ada").unknown == ["nowhere"]
    events = {event.event for event in vault.audit}
    assert {"setting.defined", "setting.changed", "setting.exported", "setting.imported"} <= events


def test_a_change_in_another_process_shows_in_use(
    vault: Vault, settings: Settings, path: Path, run: Callable[..., str]
) -> None:
    import time

    settings.write("smtp.port", 1, actor="ada")
    assert settings.use("smtp.port") is not None
    run(
        "import sys, sealite\n"
        "vault = sealite.Vault.open(sys.argv[1], sealite.Unlock.environment('APP_KEY'))\n"
        "vault.settings.write('smtp.port', 2, actor='other')\n",
        path,
    )
    time.sleep(0.2)
    value = settings.use("smtp.port")
    assert value is not None and value.expose() == 2


def test_a_locked_vault_gives_nothing(vault: Vault, settings: Settings, unlock: sealite.Unlock) -> None:
    settings.write("smtp.port", 1, actor="ada")
    settings.use("smtp.port")
    vault.lock()
    with pytest.raises(sealite.Locked):
        settings.use("smtp.port")
    vault.unlock(unlock)
    assert settings.use("smtp.port") is not None
    with pytest.raises(sealite.NotFound):
        settings.use("nowhere")


def test_no_value_shows_in_an_error_of_settings(settings: Settings) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: settings.write("smtp.port", SECRET, actor="ada"),
        lambda: settings.write("smtp.password", SECRET + "\ud800", actor="ada"),
        lambda: settings.write_form({"smtp.port": SECRET}, actor="ada"),
        lambda: settings.write("theme", SECRET, actor="ada"),
        lambda: settings.define("x", "integer", default=SECRET),
        lambda: settings.import_json('{"smtp.port": "%s"}' % SECRET, actor="ada"),
        lambda: settings.import_env(f"{SECRET}='", actor="ada"),
    ]
    for attempt in attempts:
        with pytest.raises(sealite.SealiteError) as caught:
            attempt()
        assert SECRET not in str(caught.value) + repr(caught.value) + str(vars(caught.value))


def test_several_settings_are_declared_all_or_none(vault: Vault) -> None:
    settings = vault.settings
    assert settings.define_all({
        "a.on": {"kind": "boolean", "default": False},
        "a.port": {"kind": "integer", "default": 25, "required": True, "category": "a"},
        "a.secret": {"secret": True, "guarded_by": "a.on", "keep_versions": 3, "min_length": None},
        "a.text": {"kind": None},
    })  # fmt: skip
    kinds = [(each.name, each.kind, each.secret) for each in settings.list()]
    assert kinds == [("a.on", "boolean", False), ("a.port", "integer", False), ("a.secret", "text", True), ("a.text", "text", False)]
    secret = settings.read("a.secret")
    assert (secret.guarded_by, secret.keep_versions, secret.min_length) == ("a.on", 3, None)
    assert not settings.define_all({"a.text": {}}) and not settings.define_all({})
    with pytest.raises(sealite.Definition):
        settings.define_all({"new": {}, "a.port": {"kind": "text"}})
    with pytest.raises(sealite.NotFound):
        settings.read("new")
    for wrong, error in [
        ({"x": {"kind": "blob"}}, sealite.InvalidInput),
        ({"x": {"colour": 1}}, TypeError),
        ({"x": {"min_length": -1}}, sealite.InvalidInput),
        ({"x": {"secret": "yes"}}, TypeError),
        ({"x": "text"}, TypeError),
        ({1: {}}, sealite.TypeMismatch),
        (["x"], TypeError),
    ]:
        with pytest.raises(error):
            settings.define_all(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="'colour' is no option of a setting"):
        settings.define("x", colour="red")  # type: ignore[call-arg]
    assert settings.define("y", "text", category=None, default=None)


def test_a_declaration_is_not_changed_by_reading_it(vault: Vault) -> None:
    given = {"kind": "integer", "default": 1}
    assert vault.settings.define_all({"x": given})  # type: ignore[dict-item]
    assert given == {"kind": "integer", "default": 1}
