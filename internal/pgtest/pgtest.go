// Package pgtest lends tests a throw-away PostgreSQL server on loopback.
//
// The first test of a binary that asks starts the server; every test gets an
// empty database of its own on it, dropped afterwards. The server ends with the
// test binary however that ends, because a small shell holds both and waits for
// the binary's end of a pipe to close.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named pgx
)

var (
	once    sync.Once
	address string
	startup error
	pipe    *os.File // held open for as long as the server should live
	number  atomic.Int64
)

var errMissing = errors.New("PostgreSQL is not installed (no initdb under /usr/lib/postgresql nor on PATH)")

// Start gives the address of an empty database that lives as long as the test.
// It skips the test, saying so, when PostgreSQL is not installed.
func Start(t testing.TB) (dsn string) {
	t.Helper()
	once.Do(func() { address, startup = serve() })
	if errors.Is(startup, errMissing) {
		t.Skip(startup)
	}
	if startup != nil {
		t.Fatal(startup)
	}
	name := fmt.Sprintf("test_%d", number.Add(1))
	admin(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { admin(t, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return dsnOf(address, name)
}

func dsnOf(address, name string) string {
	return "postgres://candor@" + address + "/" + name + "?sslmode=disable"
}

func admin(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", dsnOf(address, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// serve makes a cluster and starts its server, from the beginning again when
// another program took the port in between.
func serve() (address string, err error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	attr, uid, gid, err := account()
	if err != nil {
		return "", err
	}
	for range 3 {
		if address, err = cluster(bin, attr, uid, gid); err == nil {
			return address, nil
		}
	}
	return "", err
}

func cluster(bin string, attr *syscall.SysProcAttr, uid, gid int) (string, error) {
	dir, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return "", err
	}
	if uid >= 0 {
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", err
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "candor", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--no-sync", "--no-instructions")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	return launch(bin, dir, data, attr)
}

// guard runs the server until its standard input ends, then removes all of it.
const guard = `"$1" -D "$2" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
 -c full_page_writes=off -c shared_buffers=32MB -c max_connections=200 </dev/null >"$4/log" 2>&1 &
pg=$!
cat >/dev/null
kill -INT $pg
wait $pg
case "$4" in */pgtest-*) rm -rf "$4";; esac`

func launch(bin, dir, data string, attr *syscall.SysProcAttr) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	cmd := exec.Command("/bin/sh", "-c", guard, "pgtest", filepath.Join(bin, "postgres"), data, strconv.Itoa(port), dir)
	own := *attr
	own.Setpgid = true // an interrupt typed at the terminal is for the tests; the pipe tells us
	cmd.SysProcAttr, cmd.Dir, cmd.Stdin = &own, dir, read
	if err := cmd.Start(); err != nil {
		return "", err
	}
	read.Close()
	ended := make(chan struct{})
	go func() {
		cmd.Wait() // its outcome is in the log
		close(ended)
	}()
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	db, err := sql.Open("pgx", dsnOf(address, "postgres"))
	if err != nil {
		return "", err
	}
	defer db.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); <-tick.C {
		if err = db.Ping(); err == nil {
			pipe = write
			return address, nil
		}
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log")) // best effort: it only explains the failure
	write.Close()
	<-ended
	return "", fmt.Errorf("PostgreSQL did not answer: %w: %s", err, log)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// binaries finds the newest installed server.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errMissing
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // a folder that is no number sorts first
		return n
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) < version(found[j]) })
	return filepath.Dir(found[len(found)-1]), nil
}

// account is whom the server runs as: it refuses to run as root.
func account() (attr *syscall.SysProcAttr, uid, gid int, err error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, -1, -1, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, 0, 0, fmt.Errorf("running as root, and PostgreSQL will not: %w", err)
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return nil, 0, 0, err
	}
	if gid, err = strconv.Atoi(u.Gid); err != nil {
		return nil, 0, 0, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, uid, gid, nil
}
