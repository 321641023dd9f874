// The quick start from Node, through koffi: APP_KEY=... node quick_start.js app.db
'use strict';

const koffi = require('koffi');

const library = koffi.load(process.env.SEALITE_LIBRARY || 'libsealite.so.0');
for (const name of ['error', 'unlock', 'config', 'vault', 'definition', 'table', 'values', 'rows']) {
  koffi.opaque(`sealite_${name}`);
}
koffi.struct('sealite_value', {
  kind: 'int32_t', integer: 'int64_t', real: 'double', data: 'void *', length: 'size_t',
});
const TEXT = 3;

const errorMessage = library.func('const char *sealite_error_message(sealite_error *)');
const errorFree = library.func('void sealite_error_free(sealite_error *)');
const statusName = library.func('const char *sealite_status_name(int32_t)');

// Declares a function without its last parameter, the error, which becomes an exception.
function declare(name, parameters) {
  const call = library.func(`int32_t ${name}(${parameters}, _Out_ sealite_error **error)`);
  return (...given) => {
    const error = [null];
    const status = call(...given, error);
    if (status === 0) return;
    const thrown = new Error(`${statusName(status)}: ${errorMessage(error[0])}`);
    errorFree(error[0]);
    thrown.code = statusName(status);
    throw thrown;
  };
}

const text = 'const char *, size_t';
const unlockReference = declare('sealite_unlock_reference', `${text}, _Out_ sealite_unlock **`);
const vaultCreate = declare('sealite_vault_create',
  `${text}, sealite_unlock *, sealite_config *, _Out_ sealite_vault **`);
const definitionCreate = declare('sealite_definition_create', `${text}, _Out_ sealite_definition **`);
const addColumn = declare('sealite_definition_add_column', `sealite_definition *, ${text}`);
const defineTable = declare('sealite_vault_define_table', 'sealite_vault *, sealite_definition *, bool *');
const vaultTable = declare('sealite_vault_table', `sealite_vault *, ${text}, _Out_ sealite_table **`);
const valuesCreate = declare('sealite_values_create', '_Out_ sealite_values **');
const valuesSet = declare('sealite_values_set', `sealite_values *, ${text}, sealite_value *`);
const tableInsert = declare('sealite_table_insert', 'sealite_table *, sealite_values *, _Out_ int64_t *');
const tableFind = declare('sealite_table_find',
  `sealite_table *, ${text}, sealite_value *, _Out_ sealite_rows **`);
const rowsValue = declare('sealite_rows_value', `sealite_rows *, size_t, ${text}, _Out_ sealite_value *`);
const frees = {};
for (const kind of ['unlock', 'definition', 'values', 'rows', 'table', 'vault']) {
  frees[kind] = library.func(`void sealite_${kind}_free(sealite_${kind} *)`);
}

const made = (call, ...given) => {
  const out = [null];
  call(...given, out);
  return out[0];
};
const string = (of) => [of, Buffer.byteLength(of)];
const textValue = (of) => {
  const data = Buffer.from(of);
  return { kind: TEXT, integer: 0, real: 0, data, length: data.length };
};

const unlock = made(unlockReference, ...string('env:APP_KEY'));
const vault = made(vaultCreate, ...string(process.argv[2]), unlock, null);
const definition = made(definitionCreate, ...string('users'));
addColumn(definition, ...string('email text sealed not null unique email'));
addColumn(definition, ...string('name text sealed'));
defineTable(vault, definition, null);
const users = made(vaultTable, vault, ...string('users'));

const values = made(valuesCreate);
valuesSet(values, ...string('email'), textValue('Ada@Example.org'));
valuesSet(values, ...string('name'), textValue('Ada Lovelace'));
made(tableInsert, users, values);

const rows = made(tableFind, users, ...string('email'), textValue(' ada@example.ORG'));
const found = {};
rowsValue(rows, 0, ...string('name'), found);
console.log(Buffer.from(koffi.decode(found.data, 'uint8_t', Number(found.length))).toString());

try {
  made(tableInsert, users, values);
  process.exitCode = 1;
} catch (error) {
  if (error.code !== 'conflict') throw error;
}
for (const [kind, handle] of Object.entries({ rows, values, table: users, definition, unlock, vault })) {
  frees[kind](handle);
}
