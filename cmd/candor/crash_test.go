package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures"
	"github.com/candor-archive/candor/storage"
)

// How many captures the city is worth.
const (
	postCaptures = 15 // the police department's posts
	allCaptures  = 33 // and the website's pages
)

// newArchive makes a real archive of the pretend city's police department and,
// if asked, its website.
func newArchive(t *testing.T, city *fixtures.City, website bool) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "archive")
	store := openArchive(t, dir)
	defer store.Close()
	ctx, now := t.Context(), candor.Moment(time.Now())
	sources := []candor.Source{{Kind: candor.SourceFacebook, Name: "Police", URL: city.PageURL, APIURL: city.APIURL}}
	if website {
		sources = append(sources, candor.Source{Kind: candor.SourceWebsite, Name: "City", URL: city.SiteURL})
	}
	for _, x := range sources {
		x.ID, x.Language, x.Public, x.Every, x.CreatedAt, x.NextPollAt = candor.NewID(), "en", true, 2*time.Second, now, now
		if err := store.AddSource(ctx, x, city.Token, "test"); err != nil {
			t.Fatal(err)
		}
	}
	err := store.SaveAgency(ctx, candor.Agency{Name: "City of Larkspur", Short: "LPD", TimeZone: "America/Chicago", Jurisdiction: "us-tx", CreatedAt: now}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func openArchive(t *testing.T, dir string) *storage.Store {
	t.Helper()
	store, err := storage.Open(context.Background(), storage.Config{Dir: dir})
	if err != nil {
		t.Fatalf("open the archive: %v", err)
	}
	return store
}

// acknowledged is what the program told someone it has.
type acknowledged struct {
	mu       sync.Mutex
	requests []string
	captures []string
}

var (
	captured = regexp.MustCompile(`msg=captured id=([a-z0-9]{26})`)
	numbered = regexp.MustCompile(`LPD-\d{4}-\d{6}`)
)

// file sends requests as citizens do until ctx ends, keeping each number that
// a receipt showed.
func (a *acknowledged) file(ctx context.Context, portal string) {
	for n := 0; ctx.Err() == nil; n++ {
		jar, _ := cookiejar.New(nil) // never fails without options
		client := &http.Client{Jar: jar, Timeout: 20 * time.Second}
		form := url.Values{"draft": {candor.NewID()}, "step": {"4"}, "go": {"send"}, "email": {fmt.Sprintf("neighbour%d@mail.example", n)},
			"text": {fmt.Sprintf("Everything about the storm drain on Gulf Avenue, number %d.", n)}}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, portal+"/requests/new", strings.NewReader(form.Encode()))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := client.Do(req)
		if err != nil {
			continue // killed: nothing was acknowledged
		}
		if number := numbered.FindString(readAll(res)); res.StatusCode == http.StatusOK && number != "" {
			a.mu.Lock()
			a.requests = append(a.requests, number)
			a.mu.Unlock()
		} else if res.StatusCode == http.StatusTooManyRequests {
			<-ctx.Done()
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func readAll(res *http.Response) string {
	defer res.Body.Close()
	var b strings.Builder
	buf := make([]byte, 32<<10)
	for {
		n, err := res.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

// check wants everything acknowledged to be in the archive, and it to be sound.
func (a *acknowledged) check(t *testing.T, dir, when string) {
	t.Helper()
	if out, errs, code := command(t, "verify", "--data", dir); code != 0 {
		t.Fatalf("%s: verify: exit %d\n%s%s", when, code, out, errs)
	}
	store := openArchive(t, dir)
	defer store.Close()
	for _, number := range a.requests {
		if _, err := store.RequestByNumber(t.Context(), number); err != nil {
			t.Errorf("%s: request %s was acknowledged and is lost: %v", when, number, err)
		}
	}
	for _, id := range a.captures {
		view, err := store.Capture(t.Context(), id)
		if err != nil {
			t.Errorf("%s: capture %s was acknowledged and is lost: %v", when, id, err)
		} else if len(view.Artefacts) == 0 {
			t.Errorf("%s: capture %s is half there", when, id)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// settled waits until at least so many captures were asked for and none waits,
// runs or is to be tried again.
func settled(t *testing.T, s *server, least int, most time.Duration) {
	t.Helper()
	store := openArchive(t, s.dir)
	defer store.Close()
	s.until(most, "all work is done", func() bool {
		counts, err := store.Jobs().Counts(t.Context())
		if err != nil {
			return false
		}
		done := 0
		for _, c := range counts {
			switch {
			case c.Kind != "capture":
			case c.State == "completed":
				done = c.Jobs
			default:
				return false
			}
		}
		return done >= least
	})
}

// TestKillingTheProgramLosesNothing kills the program at ten random moments
// while it captures and citizens file requests. After each, what was
// acknowledged is there and the archive is sound; in the end the work that was
// cut short is done.
func TestKillingTheProgramLosesNothing(t *testing.T) {
	city, err := fixtures.Start(t.Context(), fixtures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer city.Close()
	dir := newArchive(t, city, true)
	var a acknowledged
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	post, err := city.Controller().PostID("speed-cushions")
	if err != nil {
		t.Fatal(err)
	}
	for round := range 10 {
		s := serve(t, dir, "--allow-private")
		if err := city.Controller().EditPost(post, fmt.Sprintf("Speed cushions, corrected %d times.", round)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var filing sync.WaitGroup
		filing.Add(1)
		go func() { defer filing.Done(); a.file(ctx, s.url) }()
		if round == 0 { // what is killed should be in the midst of capturing
			s.until(2*time.Minute, "captures are being made", func() bool { return captured.MatchString(s.logged()) })
		}
		<-time.After(time.Duration(200+random.IntN(4000)) * time.Millisecond)
		s.kill()
		cancel()
		filing.Wait()
		for _, m := range captured.FindAllStringSubmatch(s.logged(), -1) {
			a.captures = append(a.captures, m[1])
		}
		a.check(t, dir, fmt.Sprintf("after kill %d", round+1))
	}
	s := serve(t, dir, "--allow-private")
	settled(t, s, allCaptures, 6*time.Minute)
	s.stop()
	for _, m := range captured.FindAllStringSubmatch(s.logged(), -1) {
		a.captures = append(a.captures, m[1])
	}
	a.check(t, dir, "in the end")
	if len(a.requests) == 0 || len(a.captures) == 0 {
		t.Fatalf("%d requests and %d captures were acknowledged: the test has shown nothing", len(a.requests), len(a.captures))
	}
	t.Logf("%d requests and %d captures were acknowledged around ten kills, and none is lost", len(a.requests), len(a.captures))
	store := openArchive(t, dir)
	defer store.Close()
	if recent, err := store.RecentCaptures(t.Context(), 1000); err != nil || len(recent) < allCaptures {
		t.Errorf("%d captures in the end (%v); every post and page wants one", len(recent), err)
	}
}

// TestKillingChromeLosesNoCapture kills the browsers under a working program.
func TestKillingChromeLosesNoCapture(t *testing.T) {
	city, err := fixtures.Start(t.Context(), fixtures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer city.Close()
	dir := newArchive(t, city, false)
	s := serve(t, dir, "--allow-private")
	killed := 0
	for range 4 {
		s.until(time.Minute, "a browser is at work", func() bool {
			for _, pid := range browsers(s.cmd.Process.Pid) {
				if syscall.Kill(pid, syscall.SIGKILL) == nil {
					killed++
					return true
				}
			}
			return false
		})
		before := len(captured.FindAllString(s.logged(), -1))
		s.until(2*time.Minute, "captures go on after a browser was killed", func() bool {
			return len(captured.FindAllString(s.logged(), -1)) > before
		})
	}
	settled(t, s, postCaptures, 6*time.Minute)
	s.stop()
	a := acknowledged{}
	for _, m := range captured.FindAllStringSubmatch(s.logged(), -1) {
		a.captures = append(a.captures, m[1])
	}
	a.check(t, dir, "after the browsers were killed")
	if failed := strings.Count(s.logged(), "outcome=failed"); failed > 0 {
		t.Errorf("%d captures were given up although the browser came back", failed)
	}
	t.Logf("%d browsers killed, %d captures made", killed, len(a.captures))
}

// browsers lists the processes that are Chrome's own children of a process,
// one for each browser.
func browsers(parent int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		// pid (name) state ppid …; the name may hold spaces.
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) && strings.Contains(string(stat), "chrom") {
			found = append(found, pid)
		}
	}
	return found
}
