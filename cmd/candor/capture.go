package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/internal/netguard"
	"github.com/candor-archive/candor/render/behaviour"
	"github.com/candor-archive/candor/render/browser"
	"github.com/candor-archive/candor/render/page"
)

// CaptureCmd captures pages into a folder.
type CaptureCmd struct {
	Out          string   `help:"Folder for the captures; made if it does not exist." default:"captures" placeholder:"DIR"`
	Concurrency  int      `help:"Browsers at work at once; about one a core. Each goes on with another page while one is waited for." default:"2" placeholder:"N"`
	Profile      []string `help:"Visit as a desktop or a mobile browser would. With both, the first named is the capture proper, the other a further rendition of it." enum:"desktop,mobile" default:"desktop"`
	Scale        int      `help:"Pixels of the picture to one of the page: 1, 2 or 3. 0 leaves it to the profile." enum:"0,1,2,3" default:"0"`
	Policy       string   `help:"load: settle, then capture. scroll: show more first, as the behaviour for the site says, and walk down, so that what loads late is there." enum:"load,scroll" default:"load"`
	Cleaned      bool     `help:"Add a labelled extra picture with cookie banners refused or hidden and animations ended."`
	Check        bool     `help:"Open every snapshot again, offline, and compare it with the picture." env:"CANDOR_CAPTURE_CHECK"`
	PictureOnly  bool     `help:"Take the screenshot and nothing else: no snapshot, text or answers' bodies."`
	Behaviours   string   `help:"Folder of behaviour files, which replace those of the same name that ship with the program or add to them." type:"path" env:"CANDOR_BEHAVIOURS" placeholder:"DIR"`
	AllowPrivate bool     `help:"Let pages and their parts come from private and loopback addresses too."`
	File         string   `short:"f" help:"Read addresses from a file, one a line; # begins a comment." placeholder:"FILE" env:"-"`
	URLs         []string `arg:"" optional:"" name:"url" help:"Addresses of pages, http:// or https://."`
}

// Help is shown by candor capture --help.
func (c *CaptureCmd) Help() string {
	return "Every page gets a folder with its screenshot, its DOM as one file, its text, what was exchanged with the network and a manifest.\n" +
		"captures.jsonl in the folder lists them, one line a page, in the order given.\n\n" +
		"Example:  candor capture --out town --policy scroll https://www.example.gov/\n\n" +
		"Exit status: 0 when every capture is complete, 3 when some are not, 2 when the command is wrong."
}

// captureLine is one line of captures.jsonl. Paths are below the folder that
// holds it; one that is empty names a file that could not be made, and one that
// is left out was not asked for.
type captureLine struct {
	URL        string         `json:"url"`
	FinalURL   string         `json:"final_url"`
	Outcome    candor.Outcome `json:"outcome"`
	Reason     string         `json:"reason"`
	HTTPStatus int            `json:"http_status"`
	Started    time.Time      `json:"started"`
	Finished   time.Time      `json:"finished"`
	Title      string         `json:"title"`
	Dir        string         `json:"dir"`
	Screenshot string         `json:"screenshot"`
	Snapshot   string         `json:"snapshot"`
	Text       string         `json:"text"`
	Manifest   string         `json:"manifest"`

	Renditions map[string]rendition `json:"renditions,omitempty"` // by name
	Check      *checked             `json:"check,omitempty"`
}

// rendition is a further rendition of a capture in captures.jsonl.
type rendition struct {
	Outcome    candor.Outcome `json:"outcome"`
	Screenshot string         `json:"screenshot"`
	Snapshot   string         `json:"snapshot,omitempty"`
	Text       string         `json:"text,omitempty"`
}

// checked is what came out when a snapshot was opened again.
type checked struct {
	Share      float64 `json:"share"` // of the picture that differs, from 0 to 1
	Requests   int     `json:"requests"`
	TextEqual  bool    `json:"text_equal"`
	Difference string  `json:"difference,omitempty"` // a picture of where they differ
}

// Run captures every address and reports by exit code whether all are complete.
func (c *CaptureCmd) Run(ctx context.Context, to streams) error {
	urls, err := c.addresses()
	if err != nil {
		return usage(err.Error())
	}
	if c.Concurrency < 1 || c.Concurrency > 64 {
		return usage(fmt.Sprintf("--concurrency %d: give a number from 1 to 64", c.Concurrency))
	}
	if c.PictureOnly && c.Check {
		return usage("--check compares the snapshot with the picture, and --picture-only makes no snapshot: leave one of them out")
	}
	known, err := behaviour.Load(c.Behaviours)
	if err != nil {
		return usage(err.Error())
	}
	chrome, err := browser.Find(os.Getenv)
	if err != nil {
		return usage(err.Error())
	}
	out, err := c.open()
	if err != nil {
		return usage(err.Error())
	}
	pool, err := browser.Open(ctx, browser.Config{Chrome: chrome, Size: min(c.Concurrency, len(urls)), Guard: &netguard.Guard{AllowPrivate: c.AllowPrivate}})
	if err != nil {
		return errors.Join(err, out.Close())
	}
	renderer := &page.Renderer{Pool: pool, Software: "candor/" + version, PictureOnly: c.PictureOnly, Behaviours: known}
	if c.Check {
		renderer.Check = 1
	}
	run := captureRun{cmd: c, renderer: renderer, urls: urls,
		atOnce: pool.Captures(), lines: make([]*captureLine, len(urls)), out: out, began: time.Now()}
	if f, ok := to.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		run.bar = progressbar.NewOptions(len(urls), progressbar.OptionSetWriter(to.err), progressbar.OptionShowCount(),
			progressbar.OptionSetDescription("capturing"), progressbar.OptionClearOnFinish())
	}
	run.all(ctx)
	err = errors.Join(run.err, out.Close(), pool.Close())
	if err != nil {
		return err
	}
	done, complete := run.counts()
	switch {
	case ctx.Err() != nil && done < len(urls):
		return &exitError{3, fmt.Sprintf("stopped: %d of %d captures are done and listed in %s", done, len(urls), out.Name())}
	case complete < len(urls):
		return &exitError{3, fmt.Sprintf("%d of %d captures are complete; %s says what the others lack", complete, len(urls), out.Name())}
	}
	fmt.Fprintf(to.out, "%d captured, listed in %s\n", len(urls), out.Name())
	return nil
}

// addresses gathers what to capture, from the file first.
func (c *CaptureCmd) addresses() ([]string, error) {
	var urls []string
	if c.File != "" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, fmt.Errorf("cannot read the list of addresses: %w", err)
		}
		defer f.Close() // only read
		lines := bufio.NewScanner(f)
		for n := 1; lines.Scan(); n++ {
			line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if at := strings.Index(line, " #"); at >= 0 {
				line = strings.TrimSpace(line[:at])
			}
			if err := page.CheckURL(line); err != nil {
				return nil, fmt.Errorf("%s, line %d: %w", c.File, n, err)
			}
			urls = append(urls, line)
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("cannot read the list of addresses %s: %w", c.File, err)
		}
	}
	for _, u := range c.URLs {
		if err := page.CheckURL(u); err != nil {
			return nil, err
		}
		urls = append(urls, u)
	}
	if len(urls) == 0 {
		return nil, errors.New("nothing to capture: give one or more addresses, or -f FILE with one a line")
	}
	return urls, nil
}

// open makes the folder and the list in it.
func (c *CaptureCmd) open() (*os.File, error) {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the folder %s: %w", c.Out, err)
	}
	name := filepath.Join(c.Out, "captures.jsonl")
	if _, err := os.Stat(name); err == nil {
		return nil, fmt.Errorf("%s exists already: name another folder with --out, so that nothing is overwritten", name)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot write into %s: %w", c.Out, err)
	}
	return f, nil
}

// captureRun is one run of the command.
type captureRun struct {
	cmd      *CaptureCmd
	renderer *page.Renderer
	atOnce   int // captures under way
	urls     []string
	began    time.Time
	bar      *progressbar.ProgressBar

	mu      sync.Mutex
	out     *os.File
	lines   []*captureLine // by position; nil until done
	written int
	err     error
}

// all captures every address, a few at a time.
func (r *captureRun) all(ctx context.Context) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(r.atOnce, len(r.urls)) {
		workers.Go(func() {
			for i := range next {
				if line := r.one(ctx, i); line != nil {
					r.done(i, line)
				}
			}
		})
	}
	for i := range r.urls {
		if ctx.Err() != nil {
			break
		}
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	r.flush(true)
	if r.bar != nil {
		r.bar.Finish() // only a drawing
	}
}

const captureTries = 3

// one captures one address. Trouble with the browser is tried again; nil means
// that the caller gave up.
func (r *captureRun) one(ctx context.Context, i int) *captureLine {
	name := fmt.Sprintf("%04d", i+1)
	spec := candor.CaptureSpec{ID: candor.NewID(), URL: r.urls[i], Profile: candor.Profile(r.cmd.Profile[0]), Also: profiles(r.cmd.Profile[1:]),
		Scale: float64(r.cmd.Scale), Cleaned: r.cmd.Cleaned, Policy: candor.Policy(r.cmd.Policy), Why: "asked", ScheduledAt: candor.Moment(r.began)}
	var m candor.Manifest
	var err error
	for range captureTries {
		m, err = r.renderer.Capture(ctx, spec, filepath.Join(r.cmd.Out, name))
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil && ctx.Err() != nil {
		if err := os.RemoveAll(filepath.Join(r.cmd.Out, name)); err != nil {
			r.fail(err)
		}
		return nil
	}
	if err != nil {
		if m, err = page.GaveUp(spec, filepath.Join(r.cmd.Out, name), r.renderer.Software, err); err != nil {
			r.fail(err)
			return nil
		}
	}
	line := &captureLine{URL: r.urls[i], FinalURL: m.FinalURL, Outcome: m.Outcome, Reason: m.Reason, HTTPStatus: m.HTTPStatus,
		Started: m.Started, Finished: m.Finished, Title: m.Title, Dir: name, Manifest: name + "/manifest.json"}
	for kind, path := range map[candor.ArtefactKind]*string{candor.Screenshot: &line.Screenshot, candor.Snapshot: &line.Snapshot, candor.Text: &line.Text} {
		if f, ok := m.File(kind); ok {
			*path = name + "/" + f.Path
		}
	}
	line.extras(m, name)
	return line
}

// extras adds what was asked for besides the capture proper.
func (l *captureLine) extras(m candor.Manifest, dir string) {
	at := map[string]string{}
	for _, f := range m.Files {
		at[f.Rendition+" "+string(f.Kind)] = dir + "/" + f.Path
	}
	for _, a := range m.Renditions {
		if l.Renditions == nil {
			l.Renditions = map[string]rendition{}
		}
		l.Renditions[a.Name] = rendition{Outcome: a.Outcome, Screenshot: at[a.Name+" screenshot"], Snapshot: at[a.Name+" snapshot"], Text: at[a.Name+" text"]}
	}
	if c := m.Check; c != nil {
		l.Check = &checked{Share: c.Share(), Requests: c.Requests, TextEqual: c.TextEqual, Difference: at[" difference"]}
	}
}

// profiles are what a flag names.
func profiles(names []string) []candor.Profile {
	var out []candor.Profile
	for _, n := range names {
		out = append(out, candor.Profile(n))
	}
	return out
}

// done notes a capture and writes every line whose turn has come.
func (r *captureRun) done(i int, line *captureLine) {
	r.mu.Lock()
	r.lines[i] = line
	r.mu.Unlock()
	r.flush(false)
	if r.bar != nil {
		r.bar.Add(1) // only a drawing
	}
}

// flush writes the lines whose turn has come; at the end also those that come
// after one that was given up.
func (r *captureRun) flush(end bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ; r.written < len(r.lines); r.written++ {
		line := r.lines[r.written]
		if line == nil && !end {
			return
		}
		if line == nil {
			continue
		}
		b, err := json.Marshal(line)
		if err == nil {
			_, err = r.out.Write(append(b, '\n'))
		}
		if err != nil && r.err == nil {
			r.err = fmt.Errorf("write %s: %w", r.out.Name(), err)
		}
	}
}

func (r *captureRun) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
}

// counts tells how many captures were made and how many of them are complete.
func (r *captureRun) counts() (done, complete int) {
	for _, l := range r.lines {
		if l != nil {
			done++
			if l.Outcome == candor.Complete {
				complete++
			}
		}
	}
	return done, complete
}
