package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler"
	"github.com/candor-archive/candor/crawler/schedule"
	"github.com/candor-archive/candor/crawler/transport"
	"github.com/candor-archive/candor/internal/netguard"
	"github.com/candor-archive/candor/render/behaviour"
	"github.com/candor-archive/candor/render/browser"
	"github.com/candor-archive/candor/render/page"
	"github.com/candor-archive/candor/storage"
	"github.com/candor-archive/candor/storage/layout"
	"github.com/candor-archive/candor/storage/queue"
)

// WorkSettings say how pages are visited.
type WorkSettings struct {
	CaptureWorkers int    `help:"Browsers at work at once; about one a core. Each goes on with another page while one is waited for. 0 leaves capturing to candor worker." default:"2" env:"CANDOR_CAPTURE_WORKERS"`
	Chrome         string `help:"Chrome or Chromium to use; found on the PATH when left out." env:"CANDOR_CHROME" placeholder:"FILE"`
	AllowPrivate   bool   `help:"Also visit private and loopback addresses. Only for an intranet you trust." env:"CANDOR_ALLOW_PRIVATE"`

	Renditions []string `help:"Visit every page as these: desktop, mobile or both. The first named is the capture proper, the other a further rendition of it, which costs one more visit." enum:"desktop,mobile" default:"desktop" env:"CANDOR_RENDITIONS"`
	Behaviours string   `help:"Folder of behaviour files, which replace those of the same name that ship with the program or add to them." type:"path" env:"CANDOR_BEHAVIOURS" placeholder:"DIR"`
	Schedule   string   `help:"File that says how often what is looked at; candor schedule prints the one that ships with the program." type:"path" env:"CANDOR_SCHEDULE" placeholder:"FILE"`
	Check      float64  `help:"Share of captures whose snapshot is opened again, offline, and compared with the picture: 1 for all, 0 for none." default:"1" env:"CANDOR_CHECK" placeholder:"SHARE"`
}

func (w WorkSettings) check() error {
	if w.CaptureWorkers < 0 || w.CaptureWorkers > 64 {
		return usage("--capture-workers must be between 0 and 64")
	}
	if !(w.Check >= 0 && w.Check <= 1) {
		return usage("--check must be between 0 and 1")
	}
	if _, err := w.schedule(); err != nil {
		return err
	}
	_, err := behaviour.Load(w.Behaviours)
	return err
}

// schedule reads how often what is looked at.
func (w WorkSettings) schedule() (schedule.Policy, error) {
	if w.Schedule == "" {
		return schedule.Default(), nil
	}
	data, err := os.ReadFile(w.Schedule)
	if err != nil {
		return schedule.Policy{}, usage("cannot read the schedule: " + err.Error())
	}
	p, err := schedule.Parse(data)
	if err != nil {
		return schedule.Policy{}, usage(w.Schedule + ": " + err.Error())
	}
	return p, nil
}

// ScheduleCmd prints the schedule that ships with the program.
type ScheduleCmd struct{}

// Run prints it.
func (ScheduleCmd) Run(s streams) error {
	_, err := s.out.Write(schedule.DefaultFile())
	return err
}

// timeout is how long one capture may take, with all its renditions and its
// check, before it counts as given up. Each part has a limit of its own, which
// ends it long before.
func (w WorkSettings) timeout() time.Duration {
	limit := captureTimeout + time.Duration(len(w.Renditions)-1)*renditionTimeout
	if w.Check > 0 {
		limit += checkTimeout
	}
	return limit
}

// visited is how a capture that was asked for is made here.
func (w WorkSettings) visited(spec candor.CaptureSpec) candor.CaptureSpec {
	if len(spec.Also) == 0 && len(w.Renditions) > 0 {
		spec.Profile, spec.Also = candor.Profile(w.Renditions[0]), profiles(w.Renditions[1:])
	}
	return spec
}

const (
	captureTimeout   = 2 * time.Minute // of the capture proper
	renditionTimeout = 2 * time.Minute // of each further rendition
	checkTimeout     = time.Minute
	captureAttempts  = 3
	commitTimeout    = 30 * time.Second // of a capture that was given up
	pollTimeout      = 15 * time.Minute // a first visit paces itself; also how long jobs of a machine that stays away wait
)

// works is what polls and captures, whether beside the portal or alone.
type works struct {
	settings WorkSettings
	store    *storage.Store
	pool     *browser.Pool
	render   *page.Renderer
	crawler  *crawler.Crawler
	dir      string // captures in the making
	log      *slog.Logger
}

// openWorks registers the crawl and capture jobs with the store's queue.
// allow lists private host:port pairs that may be visited all the same.
func openWorks(ctx context.Context, w WorkSettings, store *storage.Store, dataDir string, allow []string, log *slog.Logger) (*works, error) {
	guard := &netguard.Guard{AllowPrivate: w.AllowPrivate, Allow: allow}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name this machine: %w", err)
	}
	k := &works{settings: w, store: store, log: log, dir: filepath.Join(layout.Work(dataDir, host), fmt.Sprint(os.Getpid()))}
	var pace transport.Config
	if len(allow) > 0 { // the pretend city is ours and need not be spared
		pace.PerHost, pace.Burst = 100, 100
	}
	often, err := w.schedule()
	if err != nil {
		return nil, err
	}
	k.crawler = crawler.New(crawler.Config{
		Store: store, Queue: store, HTTP: guard.Client(time.Minute), Transport: pace, Schedule: often, Interval: time.Second, Log: log,
	})
	queue.Handle(store.Jobs(), queue.Options{Workers: 2, Timeout: pollTimeout, MaxAttempts: 3},
		func(ctx context.Context, job candor.PollJob, _ queue.Attempt) error {
			return k.crawler.Poll(ctx, job.SourceID)
		})
	if w.CaptureWorkers == 0 {
		return k, nil
	}
	if err := clearUnfinished(filepath.Dir(k.dir)); err != nil {
		return nil, fmt.Errorf("clear unfinished captures: %w", err)
	}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for captures: %w", err)
	}
	pool, err := browser.Open(ctx, browser.Config{Chrome: w.Chrome, Size: w.CaptureWorkers, Guard: guard, Log: log})
	if err != nil {
		return nil, err
	}
	k.pool = pool
	known, err := behaviour.Load(w.Behaviours)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	k.render = &page.Renderer{Pool: pool, Software: "candor/" + version, Check: w.Check, Behaviours: known, Log: log}
	queue.Handle(store.Jobs(), queue.Options{Workers: pool.Captures(), Timeout: w.timeout(), MaxAttempts: captureAttempts}, k.capture)
	return k, nil
}

// clearUnfinished removes what killed processes of this machine left half made
// below dir, one folder a process id: it is worth nothing, since their jobs run
// again.
func clearUnfinished(dir string) error {
	left, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for _, e := range left {
		pid, err := strconv.Atoi(e.Name())
		alive := err == nil && pid != os.Getpid() && syscall.Kill(pid, 0) == nil
		if alive {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// capture visits once and commits. A worker in trouble tries again; the last
// attempt is committed as failed, so that the gap is on record.
func (k *works) capture(ctx context.Context, job candor.CaptureJob, attempt queue.Attempt) error {
	spec := k.settings.visited(job.Spec)
	if done, err := k.store.Capture(ctx, spec.ID); err == nil && done.Capture.ID == spec.ID {
		return nil // a crash came between commit and the queue's own note of it
	} else if err != nil && !candor.IsKind(err, candor.NotFound) {
		return err
	}
	dir, err := os.MkdirTemp(k.dir, spec.ID+"-")
	if err != nil {
		return fmt.Errorf("capture %s: %w", spec.URL, err)
	}
	defer os.RemoveAll(dir)
	manifest, err := k.render.Capture(ctx, spec, dir)
	if err != nil {
		if attempt.N < attempt.Max || errors.Is(err, context.Canceled) {
			return fmt.Errorf("capture %s: %w", spec.URL, err)
		}
		k.log.Warn("capture given up", "url", spec.URL, "attempts", attempt.N, "error", err)
		if manifest, err = page.GaveUp(spec, dir, "candor/"+version, err); err != nil {
			return err
		}
		// The attempt's time may be what ran out; the gap is recorded all the same.
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
		defer cancel()
		ctx = late
	}
	done, err := k.store.CommitCapture(ctx, spec, manifest, dir)
	if err != nil {
		return fmt.Errorf("commit the capture of %s: %w", spec.URL, err)
	}
	k.log.Info("captured", "id", done.ID, "url", done.URL, "outcome", done.Outcome, "why", done.Why, "entry", done.EvidenceSeq)
	return nil
}

// access asks the platform who the account of a source is, with the token that
// is kept when none is given.
func (k *works) access(ctx context.Context, src candor.Source, token string) (candor.Account, error) {
	if token == "" {
		var err error
		if token, err = k.store.Token(ctx, src.ID); err != nil {
			return candor.Account{}, err
		}
	}
	return k.crawler.Check(ctx, src, token)
}

// run starts the queue and the crawler's schedule, and stops both when ctx
// ends, waiting for work in hand.
func (k *works) run(ctx context.Context) error {
	if err := k.store.Jobs().Start(ctx); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	if k.pool != nil {
		go func() { // what no capture can be made with is known before a page waits for it
			if err := k.pool.Warm(ctx); err != nil && ctx.Err() == nil {
				k.log.Error("no captures can be made", "error", err)
			}
		}()
	}
	err := k.crawler.Run(ctx)
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return errors.Join(err, k.store.Jobs().Stop(stop))
}

// Close ends the browsers.
func (k *works) Close() error {
	if k.pool == nil {
		return nil
	}
	return errors.Join(k.pool.Close(), os.RemoveAll(k.dir))
}
