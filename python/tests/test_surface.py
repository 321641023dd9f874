"""Everything that the core can do is reachable from Python: each function of the C interface, which is a face of the same core,
has a name here, or a reason why it needs none. A new one fails until somebody has decided."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import sealite

ROOT = Path(__file__).parents[2]
SYMBOLS = (ROOT / "ffi-c" / "symbols.txt").read_text("utf-8").split()

# Objects of C, and the classes that have their functions as methods, under the same names where nothing else is said.
CLASSES = {
    "approvals": "Approvals",
    "audit": "Audit",
    "connection": "dbapi2.Connection",
    "field": "Field",
    "key": "Keys",
    "keys": "Keys",
    "password_hasher": "PasswordHasher",
    "quotas": "Quotas",
    "rotation": "Keys",
    "settings": "Settings",
    "snapshot": "Snapshot",
    "table": "Table",
    "tenant": "Tenant",
    "tokens": "Tokens",
    "transaction": "Transaction",
    "unlock": "Unlock",
    "vault": "Vault",
}

# Objects that C fills call by call, and the methods that take the same as arguments.
ARGUMENTS = {
    "adoption": "Vault.adopt",
    "approval_request": "Approvals.create",
    "code_request": "Tokens.issue_code",
    "config": "Vault.create",
    "definition": "Vault.define_table",
    "entry": "Audit.append",
    "setting_definition": "Settings.define",
    "token_request": "Tokens.issue",
}

# Where the names differ.
NAMES = {
    "adoption_add_column": "Vault.adopt(columns)",
    "adoption_set_remove_source": "Vault.adopt(remove)",
    "approval_request_add_allowed_role": "Approvals.create(allowed_roles)",
    "approval_request_set_requester_may_decide": ("Approvals.create(exclude_requester)", "Approvals.create(requester_may_decide)"),
    "approvals_ask": "Approvals.create",
    "audit_page": "Audit.events",
    "audit_verify_while": "Audit.verify(progress)",
    "canonical_json": "canonical_json",
    "changes_clear": "CLEAR",
    "changes_form": "Settings.write_form",
    "changes_set": "Settings.write_many",
    "code_request_set_keep_older": "Tokens.issue_code(replace_older)",
    "connection_changes": "dbapi2.Cursor.rowcount",
    "connection_last_insert_rowid": "dbapi2.Cursor.lastrowid",
    "connection_prepare": "dbapi2.Cursor.execute",
    "connection_query": "dbapi2.Cursor.fetchall",
    "cursor_next": "Scan.__next__",
    "definition_add_column": "Vault.define_table(columns)",
    "error_sqlite_code": "SealiteError.sqlite_code",
    "error_status": "SealiteError.code",
    "field_padded": "Vault.field(padding)",
    "is_token_text": "is_token_text",
    "key_reveal_new": "generate_key",
    "legacy_entries_add_admin_tokens": "LegacyEntry.admin_tokens",
    "legacy_entries_add_hash": "LegacyEntry.from_hash",
    "legacy_entries_add_token": "LegacyEntry.from_token",
    "legacy_entries_add_users": "LegacyEntry.users",
    "limits_add_fixed": "QuotaLimit.fixed",
    "limits_add_sliding": "QuotaLimit.sliding",
    "limits_parse": "QuotaLimit.parse",
    "restore": "Vault.restore",
    "restore_while": "Vault.restore(progress)",
    "rotation_run_all": "Keys.rotate_all",
    "rotation_run_all_while": "Keys.rotate_all(progress)",
    "rotation_run_while": "Keys.run(progress)",
    "rows_column_name": "SqlRows.columns",
    "rows_columns": "SqlRows.columns",
    "rows_count": "SqlRows.__len__",
    "rows_read": "SqlRows.__getitem__",
    "rows_value": "SqlRows.__getitem__",
    "rows_value_at": "SqlRows.__getitem__",
    "setting_definition_set_guard": "Settings.define(guarded_by)",
    "settings_export": "Settings.export_json",
    "settings_export_reveal": "Settings.export_json(include_secrets)",
    "settings_import": "Settings.import_json",
    "settings_reveal_for_use": "Settings.use",
    "snapshot_prepare": "dbapi2.Cursor.execute",
    "snapshot_tenant_table": "Snapshot.tenant",
    "status_name": "SealiteError.name",
    "stmt_bind": "dbapi2.Cursor.execute",
    "stmt_bind_all": "dbapi2.Cursor.execute",
    "stmt_bind_name": "dbapi2.Cursor.execute",
    "stmt_changes": "dbapi2.Cursor.rowcount",
    "stmt_column_count": "dbapi2.Cursor.description",
    "stmt_column_name": "dbapi2.Cursor.description",
    "stmt_columns": "dbapi2.Cursor.description",
    "stmt_execute": "dbapi2.Cursor.execute",
    "stmt_query": "dbapi2.Cursor.fetchall",
    "stmt_read": "dbapi2.Cursor.fetchone",
    "stmt_step": "dbapi2.Cursor.fetchone",
    "stmt_value": "dbapi2.Cursor.fetchone",
    "tenant_begin": "Tenant.transaction",
    "token_pattern": "TOKEN_PATTERN",
    "token_request_add_scope": "Tokens.issue(scopes)",
    "token_request_set_never_expires": "Tokens.issue(expires_in)",
    "tokens_issue_csrf": "Tokens.csrf",
    "trace_current": "current_trace",
    "trace_set": "current_trace",
    "transaction_begin_savepoint": "Transaction.savepoint",
    "transaction_end_savepoint": "Savepoint.__exit__",
    "transaction_prepare": "dbapi2.Cursor.execute",
    "transaction_tenant_table": "Transaction.tenant",
    "vault_add_recovery_sheet_reveal": "RecoveryCode.sheet",
    "vault_add_recovery_slot_reveal": "Vault.add_recovery_slot",
    "vault_backup_while": "Vault.backup(progress)",
    "vault_begin": "Vault.transaction",
    "vault_connect": "dbapi2.connect",
    "vault_export_subject_to": "Vault.export_subject",
    "vault_metrics_rows": "Vault.metrics",
    "vault_protect_column": "Vault.protect",
    "vault_set_clock": "testing.Clock",
    "vault_verify_while": "Vault.verify(progress)",
    "version": "__version__",
}

EXEMPT = {
    "audit_read_checkpoint": "Audit.verify_since and the option checkpoint read one; what it says is for people",
    "bytes_data": "bytes are Python's own",
    "bytes_length": "bytes are Python's own",
    "changes_create": "a dict",
    "connection_opened": "a dbapi2.Connection that was in use at a fork raises Forked",
    "error_message": "str() of the exception",
    "handles_live": "for tests that look for leaks; Python frees by itself",
    "legacy_entries_create": "a list",
    "limits_create": "a list",
    "passphrase_cost_floor": "the fixture sealite_passphrase of sealite.testing has it",
    "prepare_fork": "importing sealite has it called before each fork",
    "stmt_clear_bindings": "each execution of a dbapi2.Cursor binds anew",
    "stmt_is_read_only": "dbapi2 keeps its statements to itself, as sqlite3 does",
    "stmt_parameters": "dbapi2 compares the number with what is given, and raises",
    "stmt_reset": "each execution of a dbapi2.Cursor resets",
    "token_kind_defaults": "a table in docs/tokens.md, and Token.expires_at of what is issued",
    "values_clear": "a dict",
    "values_create": "a dict",
    "values_set": "a dict",
    "version_number": "__version__ says it",
}


def decided(symbol: str) -> tuple[str, ...]:
    """The names in Python that stand for a symbol, of which one must be there; none where it needs none."""
    name = symbol.removeprefix("sealite_")
    if name in NAMES:
        found = NAMES[name]
        return (found,) if isinstance(found, str) else found
    # What is made by a call with arguments, and freed by itself.
    if name in EXEMPT or name.endswith("_free") or name.removesuffix("_create") in ARGUMENTS:
        return ()
    if name == "password_hasher_create":
        return ("PasswordHasher",)
    for of, method in ARGUMENTS.items():
        if name.startswith((f"{of}_set_", f"{of}_add_")):
            return (f"{method}({name.removeprefix(of)[5:]})",)
    owners = [of for of in CLASSES if name.startswith(f"{of}_")]
    assert owners, f"{symbol}: which name has it in Python? See the tables of {Path(__file__).name}"
    of = max(owners, key=len)
    return (f"{CLASSES[of]}.{name.removeprefix(of)[1:]}",)


def stub() -> dict[str, ast.ClassDef]:
    text = Path(sealite.__file__ or "").with_name("_native.pyi").read_text("utf-8")
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}


STUB = stub()


def is_there(name: str) -> bool:
    found = re.fullmatch(r"(?:(dbapi2|testing)\.)?(\w+)(?:\.(\w+))?(?:\((\w+)\))?", name)
    assert found is not None, name
    module, owner, member, argument = found.groups()
    if argument is not None:
        return argument in arguments(owner, member)
    value = getattr(importlib.import_module(f"sealite.{module}") if module else sealite, owner, None)
    return value is not None and (member is None or hasattr(value, member))


def arguments(owner: str, member: str) -> set[str]:
    """The arguments of a method, those of its TypedDict among them: from the stub, which stubtest compares with the module."""
    (method,) = (node for node in STUB[owner].body if isinstance(node, ast.FunctionDef) and node.name == member)
    names = {each.arg for each in [*method.args.args, *method.args.kwonlyargs]}
    if method.args.kwarg is not None:
        assert isinstance(method.args.kwarg.annotation, ast.Subscript)
        options = STUB[ast.unparse(method.args.kwarg.annotation.slice)]
        names |= {ast.unparse(each.target) for each in options.body if isinstance(each, ast.AnnAssign)}
    return names


def test_every_function_of_the_c_interface_has_a_name_in_python() -> None:
    assert len(SYMBOLS) > 300
    missing = {symbol: names for symbol in SYMBOLS if (names := decided(symbol)) and not any(map(is_there, names))}
    assert missing == {}


def test_a_function_that_nobody_decided_on_is_found() -> None:
    with pytest.raises(AssertionError, match="which name has it"):
        decided("sealite_unheard_of")
    for invented in ("sealite_vault_unheard_of", "sealite_config_set_unheard_of", "sealite_adoption_set_unheard_of"):
        assert not any(map(is_there, decided(invented)))


def test_what_needs_no_name_is_told_once() -> None:
    assert not EXEMPT.keys() & NAMES.keys() and all(EXEMPT.values())
