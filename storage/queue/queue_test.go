package queue_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/internal/pgtest"
	"github.com/candor-archive/candor/storage/meta"
	"github.com/candor-archive/candor/storage/queue"
)

type place struct{ dir, dsn string }

func (p place) open(t *testing.T) (*meta.DB, *queue.Queue) {
	t.Helper()
	db, err := meta.Open(context.Background(), p.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	q, err := queue.New(queue.Config{Driver: db.QueueDriver(), DB: db.Write, Dir: p.dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, q) })
	return db, q
}

func stop(t *testing.T, q *queue.Queue) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func onBoth(t *testing.T, test func(t *testing.T, p place)) {
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		test(t, place{dir, filepath.Join(dir, "candor.db")})
	})
	t.Run("postgres", func(t *testing.T) { test(t, place{t.TempDir(), pgtest.Start(t)}) })
}

func enqueue(t *testing.T, db *meta.DB, q *queue.Queue, unique bool, jobs ...candor.Job) {
	t.Helper()
	err := db.InTx(context.Background(), func(ctx context.Context, tx bun.Tx) error {
		for _, j := range jobs {
			if err := q.EnqueueTx(ctx, tx, j, unique); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(40 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

func jobs(t *testing.T, q *queue.Queue, kind string) map[string]int {
	t.Helper()
	counts, err := q.Counts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, c := range counts {
		if c.Kind == kind {
			out[c.State] = c.Jobs
		}
	}
	return out
}

func TestAJobExistsOnlyWhenItsTransactionCommits(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		db, q := p.open(t)
		boom := errors.New("boom")
		err := db.InTx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			if err := q.EnqueueTx(ctx, tx, candor.MailJob{MailID: "gone"}, false); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		enqueue(t, db, q, false, candor.MailJob{MailID: "stays"})
		waiting, err := queue.Waiting[candor.MailJob](t.Context(), db.Read)
		if err != nil {
			t.Fatal(err)
		}
		if len(waiting) != 1 || waiting[0].MailID != "stays" {
			t.Errorf("waiting: %v, want only the committed job", waiting)
		}
	})
}

func TestAUniqueJobIsNotAddedWhileAnEqualOneIsUnfinished(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		db, q := p.open(t)
		begun, release := make(chan string, 10), make(chan struct{})
		queue.Handle(q, queue.Options{Workers: 2}, func(ctx context.Context, j candor.PollJob, _ queue.Attempt) error {
			begun <- j.SourceID
			<-release
			return nil
		})
		enqueue(t, db, q, true, candor.PollJob{SourceID: "a"}, candor.PollJob{SourceID: "a"}, candor.PollJob{SourceID: "b"})
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-begun
		<-begun
		enqueue(t, db, q, true, candor.PollJob{SourceID: "a"}) // one is running
		close(release)
		until(t, "both are done", func() bool { return jobs(t, q, "poll")["completed"] == 2 })
		enqueue(t, db, q, true, candor.PollJob{SourceID: "a"})
		until(t, "a finished one may come again", func() bool { return jobs(t, q, "poll")["completed"] == 3 })
	})
}

func TestAPanicIsAFailedAttemptAndTriedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		db, q := p.open(t)
		var attempts []queue.Attempt
		var mu sync.Mutex
		queue.Handle(q, queue.Options{MaxAttempts: 3}, func(_ context.Context, j candor.MailJob, a queue.Attempt) error {
			mu.Lock()
			defer mu.Unlock()
			attempts = append(attempts, a)
			if a.N == 1 {
				panic("no such luck")
			}
			return nil
		})
		enqueue(t, db, q, false, candor.MailJob{MailID: "m"})
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		until(t, "the second attempt is done", func() bool { return jobs(t, q, "mail")["completed"] == 1 })
		mu.Lock()
		defer mu.Unlock()
		if len(attempts) != 2 || attempts[1] != (queue.Attempt{N: 2, Max: 3}) {
			t.Errorf("attempts: %v", attempts)
		}
	})
}

func TestAJobThatTakesTooLongIsEnded(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		db, q := p.open(t)
		var ended atomic.Bool
		queue.Handle(q, queue.Options{Timeout: 200 * time.Millisecond, MaxAttempts: 1}, func(ctx context.Context, j candor.MailJob, _ queue.Attempt) error {
			<-ctx.Done()
			ended.Store(true)
			return ctx.Err()
		})
		enqueue(t, db, q, false, candor.MailJob{MailID: "m"})
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		until(t, "it is given up", func() bool { return jobs(t, q, "mail")["discarded"] == 1 })
		if !ended.Load() {
			t.Error("its context never ended")
		}
	})
}

func TestStopWaitsForTheJobAtWork(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		db, q := p.open(t)
		begun, release := make(chan struct{}), make(chan struct{})
		var done atomic.Bool
		queue.Handle(q, queue.Options{}, func(context.Context, candor.MailJob, queue.Attempt) error {
			close(begun)
			<-release
			done.Store(true)
			return nil
		})
		enqueue(t, db, q, false, candor.MailJob{MailID: "m"})
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-begun
		time.AfterFunc(200*time.Millisecond, func() { close(release) })
		stop(t, q)
		if !done.Load() {
			t.Error("Stop returned before the job was done")
		}
		if n := jobs(t, q, "mail")["completed"]; n != 1 {
			t.Errorf("completed jobs after Stop: %d, want 1", n)
		}
	})
}

// TestJobsOfAKilledProcessRunAgainAtOnce kills a process that is at work on a
// job and starts another on its data directory.
func TestJobsOfAKilledProcessRunAgainAtOnce(t *testing.T) {
	if dir := os.Getenv("CANDOR_TEST_DIR"); dir != "" {
		_, q := place{dir, os.Getenv("CANDOR_TEST_DSN")}.open(t)
		queue.Handle(q, queue.Options{}, func(context.Context, candor.MailJob, queue.Attempt) error {
			if err := os.WriteFile(filepath.Join(dir, "begun"), nil, 0o600); err != nil {
				t.Error(err)
			}
			select {} // until killed
		})
		if err := q.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	onBoth(t, func(t *testing.T, p place) {
		db, q := p.open(t)
		enqueue(t, db, q, false, candor.MailJob{MailID: "m"})
		child := exec.Command(os.Args[0], "-test.run=^TestJobsOfAKilledProcessRunAgainAtOnce$")
		child.Env = append(os.Environ(), "CANDOR_TEST_DIR="+p.dir, "CANDOR_TEST_DSN="+p.dsn)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "the child is at work", func() bool {
			_, err := os.Stat(filepath.Join(p.dir, "begun"))
			return err == nil
		})
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		child.Wait() // killed, as wanted
		again := make(chan queue.Attempt, 1)
		queue.Handle(q, queue.Options{}, func(_ context.Context, _ candor.MailJob, a queue.Attempt) error {
			again <- a
			return nil
		})
		start := time.Now()
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case <-again:
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("the job ran again after %s", took)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the job did not run again")
		}
	})
}

func TestASecondProcessDoesNotTakeALivingOnesJobs(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		db, q := p.open(t)
		_, other := p.open(t)
		begun, release := make(chan struct{}, 4), make(chan struct{})
		work := func(context.Context, candor.MailJob, queue.Attempt) error {
			begun <- struct{}{}
			<-release
			return nil
		}
		queue.Handle(q, queue.Options{}, work)
		queue.Handle(other, queue.Options{}, work)
		enqueue(t, db, q, false, candor.MailJob{MailID: "m"})
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-begun
		if err := other.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := jobs(t, q, "mail")["running"]; n != 1 {
			t.Errorf("running jobs: %d, want the one", n)
		}
		close(release)
		until(t, "it is done", func() bool { return jobs(t, q, "mail")["completed"] == 1 })
		if len(begun) != 0 {
			t.Error("the job was begun twice")
		}
	})
}

func TestAJobEndedByAnImpatientStopIsTriedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, p place) {
		db, q := p.open(t)
		begun := make(chan struct{}, 1)
		queue.Handle(q, queue.Options{}, func(ctx context.Context, _ candor.MailJob, a queue.Attempt) error {
			if a.N > 1 {
				return nil
			}
			begun <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		enqueue(t, db, q, false, candor.MailJob{MailID: "m"})
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-begun
		impatient, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := q.Stop(impatient); err != nil {
			t.Fatal(err)
		}
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		until(t, "it is done after all", func() bool { return jobs(t, q, "mail")["completed"] == 1 })
	})
}
