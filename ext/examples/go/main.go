// Usage: people extension app.db, with the key in APP_KEY
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"

	"github.com/mattn/go-sqlite3"
)

func main() {
	// Every connection of the pool loads the extension and is unlocked.
	sql.Register("sqlite3_sealite", &sqlite3.SQLiteDriver{
		ConnectHook: func(connection *sqlite3.SQLiteConn) error {
			if err := connection.LoadExtension(os.Args[1], "sqlite3_sealiteext_init"); err != nil {
				return err
			}
			_, err := connection.Exec("SELECT sealite_unlock('env:APP_KEY')", nil)
			return err
		},
	})
	db, err := sql.Open("sqlite3_sealite", os.Args[2])
	check(err)
	defer db.Close()

	result, err := db.Exec("INSERT INTO people (email, name) VALUES (?, ?)", "Bob@example.org", "Bob")
	check(err)
	last, err := result.LastInsertId()
	check(err)
	var id int64
	var name string
	check(db.QueryRow("SELECT id, name FROM people WHERE email = ?", "bob@example.org").Scan(&id, &name))
	fmt.Println(last == id, name)
	_, err = db.Exec("INSERT INTO people (email, name) VALUES (?, ?)", "bob@EXAMPLE.org", "Bob again")
	fmt.Println(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
