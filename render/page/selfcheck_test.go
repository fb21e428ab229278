package page

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"

	"github.com/candor-archive/candor"
)

// renderer is one with the shared pool.
func renderer(change ...func(*Renderer)) *Renderer {
	r := &Renderer{Pool: pool, Software: "candor/test"}
	for _, c := range change {
		c(r)
	}
	return r
}

func checkAll(r *Renderer) { r.Check = 1 }

// captureWith captures with a renderer of its own and looks at what must hold.
func captureWith(t *testing.T, r *Renderer, spec candor.CaptureSpec) captured {
	t.Helper()
	if spec.ID == "" {
		spec.ID = candor.NewID()
	}
	spec.ScheduledAt = time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	dir := filepath.Join(t.TempDir(), "capture")
	m, err := r.Capture(ctx, spec, dir)
	if err != nil {
		t.Fatalf("capture %s: %v", spec.URL, err)
	}
	c := captured{m, t, dir}
	c.check()
	c.nothingElse()
	return c
}

// nothingElse wants every file of the folder to be in the manifest.
func (c captured) nothingElse() {
	c.t.Helper()
	listed := map[string]bool{manifestName: true}
	for _, f := range c.Files {
		listed[f.Path] = true
	}
	err := filepath.WalkDir(c.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(c.dir, path)
		if err == nil && !listed[filepath.ToSlash(name)] {
			c.t.Errorf("%s is not in the manifest", name)
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c captured) step(name string) candor.Step {
	c.t.Helper()
	i := slices.IndexFunc(c.Steps, func(s candor.Step) bool { return s.Name == name })
	if i < 0 {
		c.t.Fatalf("no step %s among %+v", name, c.Steps)
	}
	return c.Steps[i]
}

// recheck runs the self-check once more on a capture that was made, as it lies
// in its folder.
func (c captured) recheck(change ...func(*session)) candor.Manifest {
	c.t.Helper()
	lease, err := pool.Borrow(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	have := &borrowed{pool: pool, lease: lease}
	m := c.Manifest
	m.Check, m.Steps, m.Gaps, m.Files = nil, nil, nil, slices.Clone(m.Files)
	s := renderer().session(candor.CaptureSpec{ID: m.ID, URL: m.URL}, c.dir, lease, &m)
	for _, f := range change {
		f(s)
	}
	s.frame = cdp.FrameID(lease.Target.Target.TargetID)
	if err := s.emulate(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	s.selfCheck(c.t.Context(), have)
	have.giveBack()
	m.Outcome, m.Reason, m.Gaps = s.doubts.outcome()
	return m
}

const plainPage = `<!DOCTYPE html><html lang="en"><title>Plain</title><style>body{margin:0;background:#eef}div{width:400px;height:300px;background:#284}</style>
	<h1>City Hall</h1><div></div><p>Open from eight to five.</p>`

func TestSnapshotThatShowsTheSameIsSaidToBeExact(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": plainPage})
	c := captureWith(t, renderer(checkAll), candor.CaptureSpec{URL: s.URL})
	c.want(candor.Complete, "")
	if c.Check == nil {
		t.Fatalf("it was not checked: %+v", c.step("self_check"))
	}
	if k := *c.Check; k.Differing != 0 || k.SizeWrong || k.Requests != 0 || !k.TextEqual || k.Pixels != 1280*800 || len(k.Regions) != 0 || k.Duration <= 0 {
		t.Errorf("check %+v", k)
	}
	if _, ok := c.File(candor.Difference); ok {
		t.Error("there is a picture of differences where there are none")
	}
	if bare := captureWith(t, renderer(), candor.CaptureSpec{URL: s.URL}); bare.Check != nil {
		t.Error("a capture was checked that was not to be")
	}
}

func TestSpoiltSnapshotIsFlaggedWithPlaceAndPicture(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	s := site(t, map[string]any{"/": plainPage, "/pixel.png": func(w http.ResponseWriter, r *http.Request) { asked.Add(1) }})
	c := capture(t, s.URL)
	file := filepath.Join(c.dir, snapshotName)
	html := c.read(snapshotName)
	spoil := func(from, to string) {
		t.Helper()
		if !strings.Contains(html, from) {
			t.Fatalf("the snapshot has no %q to spoil", from)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(html, from, to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	spoil("#284", "#c22")
	m := c.recheck()
	if m.Check == nil || m.Check.Differing < 100_000 || len(m.Check.Regions) == 0 || !m.Check.TextEqual {
		t.Fatalf("check %+v; steps %+v", m.Check, m.Steps)
	}
	if b := m.Check.Regions[0].Box; b[0] > 5 || b[2] < 390 || b[2] > 420 || b[3] < 290 || m.Check.Regions[0].Share < 0.9 {
		t.Errorf("region %+v, want the 400×300 box that was painted over", m.Check.Regions[0])
	}
	if len(m.Gaps) != 1 || m.Gaps[0].Code != candor.GapCheck || m.Outcome != candor.Partial || !strings.HasPrefix(m.Gaps[0].Detail, "0.1") {
		t.Errorf("gaps %+v", m.Gaps)
	}
	if f, ok := m.File(candor.Difference); !ok || f.Width != 1280 || f.Size == 0 || f.Size > 100_000 {
		t.Errorf("the picture of differences is %+v", f)
	}

	spoil("to five", "to four")
	if m = c.recheck(); m.Check == nil || m.Check.TextEqual || m.Check.Differing == 0 || !gapped(m, candor.GapCheck, "text") {
		t.Errorf("other words: check %+v, outcome %s", m.Check, m.Outcome)
	} else if m.Check.Regions[0].Cause != "unknown" {
		t.Errorf("without a tree to look at, the cause is %q", m.Check.Regions[0].Cause)
	}

	spoil("<h1", `<div style="height:2000px"></div><h1`)
	if m = c.recheck(); m.Check == nil || !m.Check.SizeWrong || m.Check.Share() != 1 || m.Outcome != candor.Partial {
		t.Errorf("another size: check %+v, outcome %s", m.Check, m.Outcome)
	}

	// Its own policy refuses the first; without one, the browser is refused.
	fetching := fmt.Sprintf(`<img alt="" style="position:absolute" src="%s/pixel.png"><h1`, s.URL)
	spoil("<h1", fetching)
	if m = c.recheck(); m.Check == nil || m.Check.Requests == 0 || !gapped(m, candor.GapCheck, "requests") {
		t.Errorf("a request against the policy is not counted: %+v", m.Check)
	}
	html = strings.ReplaceAll(html, "Content-Security-Policy", "x-none")
	spoil("<h1", fetching)
	if m = c.recheck(); m.Check == nil || m.Check.Requests == 0 || !gapped(m, candor.GapCheck, "requests") {
		t.Errorf("a request is not counted: %+v", m.Check)
	}
	if asked.Load() != 0 {
		t.Error("the snapshot reached the network")
	}
}

func gapped(m candor.Manifest, code candor.GapCode, detail string) bool {
	return m.Outcome != candor.Complete && slices.ContainsFunc(m.Gaps, func(g candor.Gap) bool { return g.Code == code && g.Detail == detail })
}

// Names given to images and forms stand for what a document has of its own.
func TestNamesOfImagesHideNothingFromUs(t *testing.T) {
	named := ""
	for _, n := range []string{"images", "fonts", "querySelectorAll", "body", "documentElement", "nodeType", "createTreeWalker"} {
		named += `<img alt="" name="` + n + `" src="/pixel.png">`
	}
	s := site(t, map[string]any{"/": strings.Replace(plainPage, "<h1", named+"<h1", 1), "/pixel.png": pngHandler})
	c := captureWith(t, renderer(checkAll), candor.CaptureSpec{URL: s.URL})
	c.want(candor.Complete, "")
	if st := c.step("images"); c.Check == nil || st.Outcome != candor.StepDone || st.Detail != "7 images" {
		t.Errorf("check %+v, images %+v, self-check %+v", c.Check, st, c.step("self_check"))
	}
}

func TestLargeSnapshotIsChecked(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": plainPage})
	c := capture(t, s.URL)
	f, err := os.OpenFile(filepath.Join(c.dir, snapshotName), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, "<!-- %s -->", strings.Repeat("0123456789abcdef", 12<<20/16)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if m := c.recheck(); m.Check == nil || m.Check.Differing != 0 || !m.Check.TextEqual {
		t.Errorf("check %+v; steps %+v", m.Check, m.Steps)
	}
}

func TestCheckThatTakesTooLongIsSaid(t *testing.T) {
	s := site(t, map[string]any{"/": plainPage})
	c := captureWith(t, renderer(checkAll, func(r *Renderer) { r.Limits.Check = time.Millisecond }), candor.CaptureSpec{URL: s.URL})
	c.want(candor.Partial, "could not be checked")
	if st := c.step("self_check"); st.Outcome != candor.StepTimedOut || !gapped(c.Manifest, candor.GapCheck, "undone") || c.Check != nil {
		t.Errorf("step %+v, check %+v", st, c.Check)
	}
}

// TestPageThatNeverStandsStillIsReportedHonestly captures a canvas that draws
// itself anew and a box that scripts move, whatever the freezing of animations
// does to them: the account must be true, not the picture the same.
func TestPageThatNeverStandsStillIsReportedHonestly(t *testing.T) {
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>Restless</title><style>body{margin:0}</style><canvas id="c" width="300" height="200"></canvas>
		<p id="n" style="width:500px;height:40px;background:#ddd">0</p><script>
		const g = c.getContext('2d'); let i = 0;
		const draw = () => { i++; g.fillStyle = 'hsl(' + (i * 37 % 360) + ' 90% 50%)'; g.fillRect(0, 0, 300, 200); n.textContent = i; n.style.background = 'hsl(' + (i * 53 % 360) + ' 90% 70%)'; };
		setInterval(draw, 5);</script>`})
	c := captureWith(t, renderer(checkAll), candor.CaptureSpec{URL: s.URL})
	if c.Check == nil {
		t.Fatalf("it was not checked: %+v", c.step("self_check"))
	}
	k := *c.Check
	f, marked := c.File(candor.Difference)
	switch {
	case marked != (k.Differing > 0) || marked != (len(k.Regions) > 0) || marked && f.Width != 1280:
		t.Errorf("check %+v with the picture %+v", k, f)
	case (k.Share() > candor.CheckShare || !k.TextEqual) != (c.Outcome == candor.Partial):
		t.Errorf("%.4f of the picture differs, and the outcome is %s (%s)", k.Share(), c.Outcome, c.Reason)
	}
	for _, r := range k.Regions {
		if want := map[bool]string{true: "canvas", false: "text"}[r.Box[1] < 200]; r.Cause != want && r.Box[1]+r.Box[3] < 290 {
			t.Errorf("region %+v, want the cause %s", r, want)
		}
	}
}

func TestTheShareOfCheckedCapturesFollowsFromTheirIDs(t *testing.T) {
	n := 0
	for i := range 2000 {
		id := fmt.Sprint("capture-", i)
		if chosen(id, 0) || !chosen(id, 1) {
			t.Fatal("none must be none, and all must be all")
		}
		if chosen(id, 0.25) {
			n++
			if !chosen(id, 0.5) || !chosen(id, 0.25) {
				t.Error("a larger share leaves one out that a smaller holds")
			}
		}
	}
	if n < 400 || n > 600 {
		t.Errorf("%d of 2000 were chosen, want about 500", n)
	}
}
