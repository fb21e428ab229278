package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures"
	"github.com/candor-archive/candor/fixtures/pages"
	"github.com/candor-archive/candor/render/behaviour"
)

// behaving captures a page with behaviours of our own added.
func behaving(t *testing.T, url, file string) captured {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "own.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := behaviour.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "capture")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	m, err := (&Renderer{Pool: pool, Software: "candor/test", Behaviours: set}).Capture(ctx,
		candor.CaptureSpec{ID: candor.NewID(), URL: url, Policy: candor.PolicyScroll}, out)
	if err != nil {
		t.Fatal(err)
	}
	c := captured{m, t, out}
	c.check()
	return c
}

// steps are those of the one behaviour that ran, by name.
func (c captured) steps() map[string]candor.Step {
	c.t.Helper()
	if len(c.Behaviours) != 1 {
		c.t.Fatalf("%d behaviours ran: %+v; steps %+v", len(c.Behaviours), c.Behaviours, c.Steps)
	}
	out := map[string]candor.Step{}
	for _, s := range c.Behaviours[0].Steps {
		out[s.Name] = s
	}
	return out
}

func (c captured) gap(code candor.GapCode) (candor.Gap, bool) {
	for _, g := range c.Gaps {
		if g.Code == code {
			return g, true
		}
	}
	return candor.Gap{}, false
}

func TestALongThreadIsShownWhole(t *testing.T) {
	city, err := fixtures.Start(t.Context(), fixtures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer city.Close()
	permit(t, city.Hosts...)
	hand := city.Controller()
	post, err := hand.PostID("speed-cushions")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		id, err := hand.AddComment(post, "Neighbor", fmt.Sprintf("word number %d", i))
		if err != nil {
			t.Fatal(err)
		}
		for j := range 5 {
			if i != 7 {
				break
			}
			if _, err := hand.AddComment(id, "Other neighbor", fmt.Sprintf("answer number %d", j)); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, number, _ := strings.Cut(post, "_")
	url := city.PageURL + "/posts/" + number + "/"

	untouched := capture(t, url)
	if len(untouched.Behaviours) != 0 || strings.Contains(untouched.read("text.txt"), "word number 29") {
		t.Error("the policy load has touched the page")
	}
	gap, ok := untouched.gap(candor.GapShown)
	if !ok || untouched.Outcome != candor.Partial || len(untouched.Shown) != 1 || untouched.Shown[0].Shown >= untouched.Shown[0].Of {
		t.Errorf("shown %+v, gap %+v, outcome %s", untouched.Shown, gap, untouched.Outcome)
	}
	c := capture(t, url, scrolling)
	c.want(candor.Complete, "")
	text := c.read("text.txt")
	for _, words := range []string{"word number 0", "word number 29", "answer number 0", "answer number 4"} {
		if !strings.Contains(text, words) {
			t.Errorf("%q is not on show", words)
		}
	}
	if strings.Contains(text, "View more comments") || strings.Contains(text, "more replies") {
		t.Error("there is more to be viewed")
	}
	steps := c.steps()
	if s := steps["more comments"]; s.Outcome != candor.StepDone || !strings.Contains(s.Detail, "clicked") || s.Duration == 0 {
		t.Errorf("more comments: %+v", s)
	}
	if s := steps["more replies"]; s.Outcome != candor.StepDone {
		t.Errorf("more replies: %+v", s)
	}
	run := c.Behaviours[0]
	if run.Name != "townsquare" || run.Version < 1 || len(run.SHA256) != 64 || run.Unreviewed {
		t.Errorf("the run is %+v", run)
	}
	if len(c.Shown) != 1 || c.Shown[0].What != "comments" || c.Shown[0].Shown != c.Shown[0].Of || c.Shown[0].Of < 35 {
		t.Errorf("shown %+v", c.Shown)
	}
	at := slices.IndexFunc(c.Steps, func(s candor.Step) bool { return s.Name == "behaviours" })
	scroll := slices.IndexFunc(c.Steps, func(s candor.Step) bool { return s.Name == "scroll" })
	if at < 0 || scroll < at || c.Steps[at].Outcome != candor.StepDone {
		t.Errorf("the steps are %+v", c.Steps)
	}
	t.Logf("behaviours %s, look %+v", c.Steps[at].Duration, c.Steps[slices.IndexFunc(c.Steps, func(s candor.Step) bool { return s.Name == "look" })])
}

// TestPagesOfTheCollectionShowMore captures pages that were made for this.
func TestPagesOfTheCollectionShowMore(t *testing.T) {
	server, err := pages.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	permit(t, server.Hosts()...)
	for name, want := range map[string]struct {
		shown candor.Shown
		text  string
		not   string
		steps map[string]string // what each says
	}{
		"behaviour-comments-es": {candor.Shown{What: "comments", Shown: 24, Of: 24}, "Lo mismo pasa en Magnolia. (24)", "Ver más comentarios", map[string]string{"more comments": "1 clicked"}},
		"behaviour-replies":     {candor.Shown{What: "comments", Shown: 10, Of: 10}, "I will be at the meeting. (10)", "View 1 reply", map[string]string{"replies": "2 clicked"}},
		"behaviour-leads-away":  {candor.Shown{What: "comments", Shown: 3, Of: 42}, "Will the crossing at the school", "Password", map[string]string{"more comments": "1 left alone", "see more of the words": "1 clicked"}},
		"behaviour-failing":     {candor.Shown{What: "comments", Shown: 6, Of: 42}, "Larkspur Streets", "tired", map[string]string{"more comments": "1 clicked"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, ok := pages.Named(name)
			if !ok {
				t.Fatalf("there is no page %s", name)
			}
			c := capture(t, server.URL(p), scrolling)
			if len(c.Shown) != 1 || c.Shown[0] != want.shown {
				t.Errorf("%s: shown %+v, want %+v", name, c.Shown, want.shown)
			}
			gap, ok := c.gap(candor.GapShown)
			if ok != (want.shown.Shown < want.shown.Of) || ok && (c.Outcome != candor.Partial || gap.Detail != fmt.Sprintf("%d of %d", want.shown.Shown, want.shown.Of)) {
				t.Errorf("%s: outcome %s, gap %+v", name, c.Outcome, gap)
			}
			text := c.read("text.txt")
			if !strings.Contains(text, want.text) || strings.Contains(text, want.not) {
				t.Errorf("%s: the text is %q", name, text)
			}
			for step, detail := range want.steps {
				if s := c.steps()[step]; s.Outcome != candor.StepDone || !strings.Contains(s.Detail, detail) {
					t.Errorf("%s: %s is %+v", name, step, s)
				}
			}
		})
	}
}

const ownHead = "name: own\nversion: 7\nmatch: {page: '#own'}\n"

func TestABehaviourClicksWhatItNamesAndNothingElse(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 20)
	elsewhere := func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		fmt.Fprint(w, "<!DOCTYPE html><title>Elsewhere</title><p>elsewhere")
	}
	s := site(t, map[string]any{
		"/": `<!DOCTYPE html><title>Own</title><div id=own><p>content of the page</p>
			<a class=more href="/link">More</a> <a class=more href="/top" target=_blank>More</a> <a class=more href="#here" id=jump>More</a>
			<form action="/sent"><input name=localName><input name=parentElement><button class=more>More</button></form><img name=querySelectorAll><form name=baseURI></form>
			<button class=more disabled>More</button> <button class=more aria-expanded=true id=open>More</button> <button class=more hidden>More</button>
			<button class=more id=plain>More</button> <button class=more>Report</button>
			<div role=button class=more id=outer>More<span class=more id=inner></span></div>
			<button class=more id=away onclick="location='/script'">More</button></div>
			<p id=log></p><div id=host></div>
			<script>
			document.addEventListener('click', e => { document.getElementById('log').append(' ' + (e.target.id || e.target.textContent) + ':' + e.isTrusted + ':' + !!navigator.userActivation.isActive) });
			document.getElementById('host').attachShadow({mode: 'open'}).innerHTML = '<button class=more id=deep>More</button>';
			HTMLElement.prototype.click = () => { document.title = 'seen' };
			</script>`,
		"/link": elsewhere, "/top": elsewhere, "/sent": elsewhere, "/script": elsewhere,
	})
	c := behaving(t, s.URL+"/", ownHead+`
steps:
  - name: more
    click:
      find: .more
      text: {en: ['more'], es: ['más']}
`)
	c.want(candor.Complete, "")
	text := c.read("text.txt")
	log := text[strings.Index(text, "content of the page"):]
	for _, id := range []string{"jump:", "plain:", "host:", "away:"} {
		if !strings.Contains(log, id) {
			t.Errorf("%s was not clicked: %s", id, log)
		}
	}
	for _, id := range []string{"open:", "Report:", "true"} {
		if strings.Contains(log, id) {
			t.Errorf("%s in %s", id, log)
		}
	}
	if strings.Count(log, "plain:") != 1 || strings.Count(log, "outer:") != 1 {
		t.Errorf("clicked more than once: %s", log)
	}
	if c.Title != "Own" || c.FinalURL != s.URL+"/#here" && c.FinalURL != s.URL+"/" {
		t.Errorf("the page is %q at %s", c.Title, c.FinalURL)
	}
	select {
	case path := <-asked:
		t.Errorf("%s was asked for", path)
	default:
	}
	st := c.steps()["more"]
	if st.Outcome != candor.StepDone || !strings.Contains(st.Detail, "3 left alone") {
		t.Errorf("the step is %+v", st)
	}
}

func TestABehaviourStopsAtItsLimits(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{
		"/endless": `<!DOCTYPE html><title>Own</title><div id=own><p>content</p></div><button class=more>More</button>
			<script>document.querySelector('.more').onclick = e => { e.target.insertAdjacentHTML('beforebegin', '<p>line'); }</script>`,
		"/stuck": `<!DOCTYPE html><title>Own</title><div id=own><p>content</p></div><button class=more>More</button>
			<script>document.querySelector('.more').onclick = e => { for (;;); }</script>`,
		"/pushes": `<!DOCTYPE html><title>Own</title><div id=own><p>content</p></div><button class=more>More</button>
			<script>document.querySelector('.more').onclick = e => { history.pushState(0, '', '/photo/1'); }</script>`,
	})
	file := ownHead + `
limits: {clicks: 6, height: 2000, time: 8s}
steps:
  - name: more
    click: {find: .more, again: %v, at_once: 1}
  - name: rest
    wait: 200ms
`
	for _, c := range []struct {
		path    string
		again   bool
		outcome candor.Outcome
		step    candor.StepOutcome
		reason  string
		text    string
	}{
		{"/endless", true, candor.Partial, candor.StepTimedOut, "stopped at a limit (6 clicks)", "line"},
		{"/stuck", false, candor.Partial, candor.StepFailed, "did not stop", "content"},
		{"/pushes", false, candor.Partial, candor.StepFailed, "led to another address", "content"},
	} {
		t.Run(c.path[1:], func(t *testing.T) {
			got := behaving(t, s.URL+c.path, fmt.Sprintf(file, c.again))
			got.want(c.outcome, c.reason)
			if st := got.steps()["more"]; st.Outcome != c.step {
				t.Errorf("the step is %+v", st)
			}
			if !strings.Contains(got.read("text.txt"), c.text) {
				t.Errorf("the text is %q", got.read("text.txt"))
			}
		})
	}
}

func TestABehaviourScrollsAndGoesBack(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>Own</title><div id=own><p>content</p></div>
		<div id=box style="height:150px;overflow:auto"><p style="height:400px">first</p></div><div style="height:3000px"></div><section id=late>late</section>
		<div id=slides><button aria-label=Next>&gt;</button><button aria-label=Previous hidden>&lt;</button><b></b></div>
		<script>
		let n = 0; const box = document.getElementById('box');
		box.onscroll = () => { if (n < 3 && box.scrollTop + box.clientHeight >= box.scrollHeight - 5) box.insertAdjacentHTML('beforeend', '<p style="height:400px">item ' + ++n); };
		new IntersectionObserver((e, o) => { if (e[0].isIntersecting) { o.disconnect(); fetch('/thread').then(r => r.text()).then(t => e[0].target.textContent = t); } }).observe(document.getElementById('late'));
		let at = 0; const most = 3, [next, back] = document.querySelectorAll('#slides button'), shown = document.querySelector('#slides b');
		const draw = () => { shown.textContent = 'slide ' + at; next.hidden = at === most; back.hidden = at === 0; if (at) fetch('/slide?' + at); };
		next.onclick = () => { at++; draw(); }; back.onclick = () => { at--; draw(); }; draw();
		</script>`,
		"/thread": served("text/plain", []byte("the thread is here")), "/slide": served("text/plain", []byte("a slide")),
	})
	c := behaving(t, s.URL+"/", ownHead+`
steps:
  - name: box
    scroll: {box: '#box'}
  - name: thread
    reveal: '#late'
  - name: slides
    carousel:
      next: {find: 'button[aria-label="Next"]'}
      back: {find: 'button[aria-label="Previous"]'}
  - name: nothing
    reveal: '#none'
count:
  - what: posts
    shown: '#box p'
`)
	c.want(candor.Complete, "")
	text := c.read("text.txt")
	for _, w := range []string{"item 3", "the thread is here", "slide 0"} {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in %q", w, text)
		}
	}
	steps := c.steps()
	if s := steps["slides"]; s.Outcome != candor.StepDone || s.Detail != "3 slides on, 3 back" {
		t.Errorf("slides: %+v", s)
	}
	if s := steps["nothing"]; s.Outcome != candor.StepSkipped {
		t.Errorf("nothing: %+v", s)
	}
	if len(c.Shown) != 1 || c.Shown[0] != (candor.Shown{What: "posts", Shown: 4}) {
		t.Errorf("shown %+v", c.Shown)
	}
	slides := 0
	for _, x := range c.exchanges() {
		if strings.Contains(x.URL, "/slide?") {
			slides++
		}
	}
	if slides < 3 {
		t.Errorf("%d slides were asked for", slides)
	}
	var l Layout
	if err := json.Unmarshal([]byte(c.read("layout.json")), &l); err != nil {
		t.Fatal(err)
	}
	for _, r := range l.Runs {
		if r.Text == "first" && (r.Box[1] < 0 || r.Box[1] > 300) {
			t.Errorf("the box was not scrolled back: %v", r.Box)
		}
	}
}

// TestEverySelectorIsOne asks the browser whether it takes each selector of the
// shipped files.
func TestEverySelectorIsOne(t *testing.T) {
	lease, err := pool.Borrow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Return(false)
	all := behaviour.Default().AllSelectors()
	if len(all) < 30 {
		t.Fatalf("only %d selectors", len(all))
	}
	list, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	res, err := cdp.Call(t.Context(), lease.Target, runtime.Evaluate, runtime.EvaluateParams{ReturnByValue: new(true),
		Expression: string(list) + `.filter(s => { try { document.querySelector(s); return false; } catch (e) { return true; } })`})
	if err != nil || res.ExceptionDetails != nil {
		t.Fatal(err, res.ExceptionDetails)
	}
	var bad []string
	if err := json.Unmarshal(res.Result.Value, &bad); err != nil {
		t.Fatal(err)
	}
	for _, b := range bad {
		t.Errorf("%q is no selector", b)
	}
}
