package main

/*
#include <sealite.h>
*/
import "C"

import "unsafe"

// queried is the first value of a query.
func queried(vault *C.sealite_vault, sql string) string {
	var failed *C.sealite_error
	var rows *C.sealite_rows
	data, length := text(sql)
	check(C.sealite_vault_query(vault, data, length, nil, 0, &rows, &failed), failed)
	defer C.sealite_rows_free(rows)
	var read C.sealite_value
	check(C.sealite_rows_value_at(rows, 0, 0, &read, &failed), failed)
	// Go looks at every pointer when it moves a stack, also at that of an empty text.
	value := read
	deep(10000)
	return C.GoStringN((*C.char)(unsafe.Pointer(value.data)), C.int(value.length))
}

// deep needs more stack than a program begins with.
func deep(calls int) int {
	if calls == 0 {
		return 1
	}
	return deep(calls-1) + 1
}
