// Package queue works jobs: polls, captures, mails. It keeps them in the
// archive's own database, so that a job is queued in the same transaction as
// what it follows from, and never otherwise.
//
// A job runs at least once: it may run again after a crash, so its work must be
// safe to repeat. After a kill, a process started on the same data directory
// takes its predecessor's unfinished jobs up again at once; jobs of a machine
// that stays away are given to others after the longest time limit of any kind.
package queue

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
	"github.com/uptrace/bun"

	"github.com/candor-archive/candor"
)

// Config says what a queue works with.
type Config struct {
	Driver riverdriver.Driver[*sql.Tx] // of the database the transactions belong to
	DB     *bun.DB                     // its writing pool
	Dir    string                      // data directory: knows this machine's jobs again after a crash
	Log    *slog.Logger
}

// Options says how the jobs of one kind are worked.
type Options struct {
	Workers     int           // at the same time; 1 when zero
	Timeout     time.Duration // of one attempt; 2 minutes when zero
	MaxAttempts int           // 8 when zero
}

const (
	defaultTimeout  = 2 * time.Minute
	defaultAttempts = 8
)

// Attempt says which attempt at a job this is, from 1, and how many there are.
type Attempt struct{ N, Max int }

// Queue takes jobs from any process on the database and, once started, works
// those it has handlers for.
type Queue struct {
	config  Config
	insert  *river.Client[*sql.Tx]
	workers *river.Workers
	queues  map[string]river.QueueConfig
	options map[string]Options
	longest time.Duration

	mu     sync.Mutex
	client *river.Client[*sql.Tx] // set while started
	owner  *owner
}

// New makes a queue that can take jobs. Add handlers, then Start it to work
// them too.
func New(c Config) (*Queue, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	// River tells of every step; only what went wrong is for the operator.
	c.Log = slog.New(atLeast{slog.LevelWarn, c.Log.Handler()})
	insert, err := river.NewClient(c.Driver, &river.Config{Logger: c.Log})
	if err != nil {
		return nil, candor.Errorf(candor.Unavailable, "open the job queue: %w", err)
	}
	return &Queue{config: c, insert: insert, workers: river.NewWorkers(), queues: map[string]river.QueueConfig{},
		options: map[string]Options{}, longest: defaultTimeout}, nil
}

// Handle says what to do with jobs of a kind. It is called before Start, once a
// kind. An error or a panic of work means "try again later", until the attempts
// are used up; the context ends with the job's time limit or the queue's stop.
func Handle[T candor.Job](q *Queue, o Options, work func(ctx context.Context, job T, attempt Attempt) error) {
	if o.Workers < 1 {
		o.Workers = 1
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxAttempts < 1 {
		o.MaxAttempts = defaultAttempts
	}
	var zero T
	q.options[zero.Kind()] = o
	q.queues[zero.Kind()] = river.QueueConfig{MaxWorkers: o.Workers}
	q.longest = max(q.longest, o.Timeout)
	river.AddWorker(q.workers, &worker[T]{timeout: o.Timeout, work: work})
}

type worker[T candor.Job] struct {
	river.WorkerDefaults[T]
	timeout time.Duration
	work    func(ctx context.Context, job T, attempt Attempt) error
}

func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.timeout }

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("job %s panicked: %v\n%s", job.Kind, p, debug.Stack())
		}
	}()
	return w.work(ctx, job.Args, Attempt{N: job.Attempt, Max: job.MaxAttempts})
}

// Start begins to work jobs. Those that this data directory's last process left
// unfinished when it died are taken up again first.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.client != nil {
		return candor.Errorf(candor.Conflict, "the job queue is started already")
	}
	if len(q.queues) == 0 {
		return candor.Errorf(candor.Invalid, "the job queue has no handlers")
	}
	owner, err := own(q.config.Dir)
	if err != nil {
		return candor.Errorf(candor.Unavailable, "claim this directory's jobs: %w", err)
	}
	if owner.sole {
		n, err := q.takeBack(ctx, owner.id)
		if err != nil {
			owner.release()
			return err
		}
		if n > 0 {
			q.config.Log.Warn("jobs left unfinished by the last run are taken up again", "jobs", n)
		}
	}
	client, err := river.NewClient(q.config.Driver, &river.Config{
		ID:                   owner.client,
		FetchPollInterval:    100 * time.Millisecond,
		FetchCooldown:        20 * time.Millisecond,
		JobTimeout:           q.longest,
		RescueStuckJobsAfter: q.longest + 15*time.Second,
		Queues:               q.queues,
		Workers:              q.workers,
		Logger:               q.config.Log,
	})
	if err == nil {
		// The queue outlives the call that starts it; Stop is what ends it.
		err = client.Start(context.WithoutCancel(ctx))
	}
	if err != nil {
		owner.release()
		return candor.Errorf(candor.Unavailable, "start the job queue: %w", err)
	}
	q.client, q.owner = client, owner
	return nil
}

// Stop takes no more jobs and waits for those at work. When ctx ends first,
// their contexts are cancelled and waited for; they will be tried again.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.client == nil {
		return nil
	}
	err := q.client.Stop(ctx)
	if err != nil {
		hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = q.client.StopAndCancel(hard)
	}
	q.owner.release()
	q.client, q.owner = nil, nil
	if err != nil {
		return candor.Errorf(candor.Unavailable, "stop the job queue: %w", err)
	}
	return nil
}

var unfinished = []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled}

// EnqueueTx queues a job that exists if and only if the transaction commits. A
// unique job is not added while an equal one is unfinished. A job with a method
// Priority goes before those with a higher number (1 to 4; 1 when it has none).
func (q *Queue) EnqueueTx(ctx context.Context, tx bun.Tx, job candor.Job, unique bool) error {
	_, err := q.EnqueueManyTx(ctx, tx, []candor.Job{job}, unique)
	return err
}

// EnqueueManyTx is EnqueueTx for several jobs at the cost of about one. It
// gives for each whether it was added: a unique one is not while an equal one
// is unfinished.
func (q *Queue) EnqueueManyTx(ctx context.Context, tx bun.Tx, jobs []candor.Job, unique bool) (added []bool, err error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, job := range jobs {
		params[i] = river.InsertManyParams{Args: job, InsertOpts: q.insertOpts(job, unique)}
	}
	results, err := q.insert.InsertManyTx(ctx, tx.Tx, params)
	if err != nil {
		return nil, candor.Errorf(candor.Unavailable, "queue %d %s jobs: %w", len(jobs), jobs[0].Kind(), err)
	}
	for _, r := range results {
		added = append(added, !r.UniqueSkippedAsDuplicate)
	}
	return added, nil
}

func (q *Queue) insertOpts(job candor.Job, unique bool) *river.InsertOpts {
	o := river.InsertOpts{Queue: job.Kind(), MaxAttempts: defaultAttempts}
	if known, ok := q.options[job.Kind()]; ok {
		o.MaxAttempts = known.MaxAttempts
	}
	if p, ok := any(job).(interface{ Priority() int }); ok {
		o.Priority = p.Priority()
	}
	if unique {
		o.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: unfinished}
	}
	return &o
}

// Waiting lists the jobs of a kind that have not begun, as seen in a
// transaction.
func Waiting[T candor.Job](ctx context.Context, tx bun.IDB) ([]T, error) {
	var zero T
	var args []string
	err := tx.NewSelect().TableExpr("river_job").ColumnExpr("CAST(args AS text)").Where("kind = ?", zero.Kind()).
		Where("state IN ('available', 'pending', 'retryable', 'scheduled')").Scan(ctx, &args)
	if err != nil {
		return nil, candor.Errorf(candor.Unavailable, "list waiting %s jobs: %w", zero.Kind(), err)
	}
	jobs := make([]T, len(args))
	for i, a := range args {
		if err := json.Unmarshal([]byte(a), &jobs[i]); err != nil {
			return nil, fmt.Errorf("read a waiting %s job: %w", zero.Kind(), err)
		}
	}
	return jobs, nil
}

// Count is how many jobs of a kind are in a state.
type Count struct {
	Kind  string
	State string // available, running, retryable, scheduled, completed, discarded, cancelled
	Jobs  int
}

// Counts says how many jobs there are, by kind and state. Completed ones are
// forgotten after a day, discarded ones after a week.
func (q *Queue) Counts(ctx context.Context) ([]Count, error) {
	var counts []Count
	err := q.config.DB.NewSelect().TableExpr("river_job").ColumnExpr("kind, state, count(*) AS jobs").
		GroupExpr("kind, state").OrderExpr("kind, state").Scan(ctx, &counts)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, candor.Errorf(candor.Unavailable, "count jobs: %w", err)
	}
	return counts, nil
}

// atLeast passes on what is at or above a level.
type atLeast struct {
	level slog.Level
	slog.Handler
}

func (h atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level && h.Handler.Enabled(ctx, l)
}

func (h atLeast) WithAttrs(a []slog.Attr) slog.Handler {
	return atLeast{h.level, h.Handler.WithAttrs(a)}
}

func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.level, h.Handler.WithGroup(name)}
}
