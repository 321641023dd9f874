// The quick start from Go: APP_KEY=... go run . app.db
package main

/*
#cgo pkg-config: sealite
#include <sealite.h>
*/
import "C"

import (
	"fmt"
	"os"
	"unsafe"
)

// check ends the program where the call has failed.
func check(status C.sealite_status, failed *C.sealite_error) {
	if status == C.SEALITE_OK {
		return
	}
	name, message := C.GoString(C.sealite_status_name(C.int32_t(status))), C.GoString(C.sealite_error_message(failed))
	C.sealite_error_free(failed)
	fmt.Fprintf(os.Stderr, "%s: %s\n", name, message)
	os.Exit(1)
}

// text is a Go string as pointer and length. It is in C's memory, and freed at the end of the program.
func text(of string) (*C.char, C.size_t) {
	return C.CString(of), C.size_t(len(of))
}

func textValue(of string) C.sealite_value {
	data, length := text(of)
	return C.sealite_text(data, length)
}

func main() {
	var failed *C.sealite_error
	var unlock *C.sealite_unlock
	data, length := text("env:APP_KEY")
	check(C.sealite_unlock_reference(data, length, &unlock, &failed), failed)
	defer C.sealite_unlock_free(unlock)

	var vault *C.sealite_vault
	data, length = text(os.Args[1])
	check(C.sealite_vault_create(data, length, unlock, nil, &vault, &failed), failed)
	defer C.sealite_vault_free(vault)

	var definition *C.sealite_definition
	data, length = text("users")
	check(C.sealite_definition_create(data, length, &definition, &failed), failed)
	defer C.sealite_definition_free(definition)
	for _, column := range []string{"email text sealed not null unique email", "name text sealed"} {
		data, length = text(column)
		check(C.sealite_definition_add_column(definition, data, length, &failed), failed)
	}
	check(C.sealite_vault_define_table(vault, definition, nil, &failed), failed)

	var users *C.sealite_table
	data, length = text("users")
	check(C.sealite_vault_table(vault, data, length, &users, &failed), failed)
	defer C.sealite_table_free(users)

	var values *C.sealite_values
	check(C.sealite_values_create(&values, &failed), failed)
	defer C.sealite_values_free(values)
	for column, content := range map[string]string{"email": "Ada@Example.org", "name": "Ada Lovelace"} {
		value := textValue(content)
		data, length = text(column)
		check(C.sealite_values_set(values, data, length, &value, &failed), failed)
	}
	check(C.sealite_table_insert(users, values, nil, &failed), failed)
	if C.sealite_table_insert(users, values, nil, nil) != C.SEALITE_CONFLICT {
		os.Exit(1)
	}

	var rows *C.sealite_rows
	wanted := textValue(" ada@example.ORG")
	data, length = text("email")
	check(C.sealite_table_find(users, data, length, &wanted, &rows, &failed), failed)
	defer C.sealite_rows_free(rows)
	var name C.sealite_value
	data, length = text("name")
	check(C.sealite_rows_value(rows, 0, data, length, &name, &failed), failed)
	fmt.Println(C.GoStringN((*C.char)(unsafe.Pointer(name.data)), C.int(name.length)))
	if got := queried(vault, "SELECT ''"); got != "" {
		os.Exit(1)
	}
}
