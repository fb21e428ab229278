package queue

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/layout"
)

// owner is this process's claim on the jobs worked from a data directory. The
// directory has a lasting id, and a lock that the system drops when its holder
// dies: whoever gets the lock knows that every job marked as being worked by
// that id has lost its worker.
type owner struct {
	id     string // of the directory
	client string // of this run
	sole   bool   // no other process works from this directory
	lock   *os.File
}

func own(dir string) (*owner, error) {
	lock, err := os.OpenFile(layout.QueueLock(dir), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	switch err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		// A second worker beside a living one: its jobs carry an id of their
		// own and, should it die, wait for the time limit.
		lock.Close()
		return &owner{client: "candor-" + candor.NewID()}, nil
	case err != nil:
		lock.Close()
		return nil, err
	}
	id, err := directoryID(lock)
	if err != nil {
		lock.Close()
		return nil, err
	}
	return &owner{id: id, client: prefix(id) + candor.NewID(), sole: true, lock: lock}, nil
}

func (o *owner) release() {
	if o.lock != nil {
		o.lock.Close()
	}
}

func prefix(id string) string { return "candor-" + id + "-" }

// directoryID reads the id out of the lock file, writing one at first.
func directoryID(lock *os.File) (string, error) {
	b := make([]byte, 64)
	n, _ := lock.ReadAt(b, 0) // a new file is empty, and any other trouble shows below
	if id := strings.TrimSpace(string(b[:n])); len(id) == 26 {
		return id, nil
	}
	id := candor.NewID()
	if err := lock.Truncate(0); err != nil {
		return "", err
	}
	if _, err := lock.WriteAt([]byte(id+"\n"), 0); err != nil {
		return "", err
	}
	return id, lock.Sync()
}

// maxTakenBack bounds how often a job may be taken up again after its process
// died: one that kills the process each time must come to an end.
const maxTakenBack = 24

// takeBack makes the jobs that a dead run of this directory was working ready
// to be worked, without waiting for their time limit, and gives up its lead of
// the queue. The lost attempt does not count against the job, within bounds.
func (q *Queue) takeBack(ctx context.Context, id string) (jobs int, err error) {
	err = q.config.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		// Only the last attempt counts: another machine may have the job now.
		last := "attempted_by ->> '$[#-1]'"
		if tx.Dialect().Name() == dialect.PG {
			last = "attempted_by[array_length(attempted_by, 1)]"
		}
		res, err := tx.NewUpdate().TableExpr("river_job").
			Set("state = 'available'").Set("max_attempts = CASE WHEN max_attempts < ? THEN max_attempts + 1 ELSE max_attempts END", maxTakenBack).
			Where("state = 'running'").Where(last+" LIKE ?", prefix(id)+"%").
			Where("attempt < ?", maxTakenBack).Exec(ctx)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		jobs = int(n)
		_, err = tx.NewDelete().TableExpr("river_leader").Where("leader_id LIKE ?", prefix(id)+"%").Exec(ctx)
		return err
	})
	if err != nil {
		return 0, candor.Errorf(candor.Unavailable, "take up unfinished jobs: %w", err)
	}
	return jobs, nil
}
