package pgtest

import (
	"database/sql"
	"testing"
)

func TestEveryTestHasADatabaseOfItsOwn(t *testing.T) {
	for range 2 {
		db, err := sql.Open("pgx", Start(t))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec("CREATE TABLE mine (id int)"); err != nil {
			t.Fatal(err)
		}
	}
}
