package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures/pages"
	"github.com/candor-archive/candor/render/behaviour"
)

// shell is an ordinary page of a town around some content.
func shell(title, content string) string {
	return `<!DOCTYPE html><html lang=en><title>` + title + `</title><header><a href="/">City of Larkspur</a> <a href="/login">Log in</a> <a href="/join">Sign up</a></header>
		<nav><a href="/news">News</a> <a href="/parks">Parks and recreation</a> <a href="/police">Police</a></nav>` + content + `<footer>City of Larkspur, 1 Main Street. Privacy policy. Accessibility.</footer>`
}

const signInForm = `<form action=/session method=post><label>Email <input name=e type=email></label> <label>Password <input type=password name=p></label> <button>Sign in</button> <a href=/forgot>Forgot password?</a></form>`

var prose = "<p>" + strings.Repeat("The council meets on the first Tuesday of every month in the old town hall. ", 14) + "</p>"

// TestLookingTellsObstaclesFromContent lets the browser show pages and asks what
// they are, without the rest of a capture.
func TestLookingTellsObstaclesFromContent(t *testing.T) {
	cases := map[string]struct {
		page string
		want candor.GapCode
	}{
		"plain":             {shell("News", "<main><h1>News</h1><p>The library opens at nine.</p></main>"), ""},
		"header-form":       {shell("News", "<header>"+signInForm+"</header><main><h1>News</h1><p>The library opens at nine.</p></main>"), ""},
		"top-form":          {`<!DOCTYPE html><title>News</title><div style="height:60px;overflow:hidden">` + signInForm + `</div><div><h1>News</h1>` + prose + `</div>`, ""},
		"side-form":         {shell("News", `<main style="margin-top:300px"><h1>News</h1>`+prose+`</main><div>`+signInForm+`</div>`), ""},
		"captcha-article":   {shell("What is a CAPTCHA?", "<main><article><h1>Verify you are human: what a CAPTCHA is</h1><p>A page may say: checking your browser before accessing. Or: access denied, you have been blocked.</p>"+prose+"</article></main>"), ""},
		"not-found-policy":  {shell("Page not found policy", "<main><h1>Page not found policy</h1><p>When a page was not found we say so.</p></main>"), ""},
		"contact-captcha":   {shell("Contact us", `<main><h1>Contact us</h1><form><input name=n><textarea></textarea><p>Tick the box to confirm you are not a robot.</p><button>Send</button></form>`+prose+`</main>`), ""},
		"cookie-banner":     {shell("News", `<main><h1>News</h1>`+prose+`</main><div style="position:fixed;bottom:0;left:0;right:0;height:120px;background:#fff">We use cookies. <button>Accept all</button></div>`), ""},
		"fixed-application": {`<!DOCTYPE html><title>Map</title><body style="overflow:hidden"><div style="position:fixed;inset:0"><main><h1>Parks map</h1><p>Cookies are sold at the park kiosk.</p></main></div>`, ""},
		"drawn-by-script":   {`<!DOCTYPE html><title>Chart</title><div id=root></div><script>document.getElementById('root').innerHTML='<canvas width=600 height=300></canvas>'</script>`, ""},
		"red-block":         {`<!DOCTYPE html><div style="width:500px;height:500px;background:rgb(255, 0, 0)"></div><script></script>`, ""},
		"in-shadow":         {`<!DOCTYPE html><title>App</title><x-app></x-app><script>document.querySelector('x-app').attachShadow({mode:'open'}).innerHTML='<main><h1>Parks</h1><p>All parks are open.</p></main>'</script>`, ""},
		"quiet-page":        {`<!DOCTYPE html><title>Empty</title>`, ""},
		"answers":           {shell("Help", "<main><h1>Help with the portal</h1><h2>Access denied</h2><p>Check the number.</p><h2>Page not found</h2><p>Copy both lines.</p><h2>Too many requests</h2><p>Wait a minute.</p>"+prose[:len(prose)/2]+"</main>"), ""},
		"long-form":         {shell("Apply", `<main><h1>Apply for a permit</h1><form><input name=a><input name=b><input type=date name=c><textarea name=d></textarea><input type=password name=pin></form></main>`), ""},
		"hidden-login":      {shell("News", `<main><h1>News</h1><p>Open at nine.</p><dialog>`+signInForm+`</dialog><div style="display:none">`+signInForm+`</div></main>`), ""},

		"login-named":   {`<!DOCTYPE html><title>Plaza</title><img name=title><img name=querySelector><form name=body></form><img name=querySelectorAll><h1>Log in</h1><form name=scripts><input name=closest><input name=localName type=password><input name=elements type=hidden><button name=checkVisibility>Log in</button></form>`, candor.GapLoginWall},
		"login-page":    {shell("Townsquare", `<main><h1>Log in to Townsquare</h1>`+signInForm+`<p>Townsquare helps you meet your neighbors.</p></main>`), candor.GapLoginWall},
		"acceso":        {`<!DOCTYPE html><html lang=es><title>Iniciar sesión | Plaza</title><form><input type=email><input type=password><button>Entrar</button></form>` + prose[:len(prose)/2], candor.GapLoginWall},
		"login-no-form": {`<!DOCTYPE html><title>Plaza</title><h1>See posts of your neighbors</h1><p>You must log in to continue.</p><a href=/login>Log in</a>`, candor.GapLoginWall},
		"login-over":    {shell("Post", `<main><h1>Road closed</h1>`+prose+`</main><div role=dialog style="position:fixed;inset:80px;background:#fff"><h2>Log in to see more</h2>`+signInForm+`</div>`), candor.GapLoginWall},
		"challenge":     {`<!DOCTYPE html><title>Just a moment...</title><h1>larkspur.example</h1><h2>Verifying you are human. This may take a few seconds.</h2>`, candor.GapChallenge},
		"desafio":       {`<!DOCTYPE html><html lang=es><title>Plaza</title><p>Comprobando si la conexión del sitio es segura</p><p>Verifique que usted es un ser humano.</p>`, candor.GapChallenge},
		"blocked":       {`<!DOCTYPE html><title>Attention</title><h1>Sorry, you have been blocked</h1><p>You are unable to access larkspur.example</p>`, candor.GapBlocked},
		"slow-down":     {`<!DOCTYPE html><title>Error</title><h1>Too many requests</h1><p>Please try again later.</p>`, candor.GapRateLimited},
		"soft-404":      {shell("Page not found | City of Larkspur", "<main><h1>We can't find that page</h1><p>Try the search.</p></main>"), candor.GapSoftMissing},
		"no-existe":     {`<!DOCTYPE html><html lang=es><title>Plaza</title><h1>Esta página no existe</h1>`, candor.GapSoftMissing},
		"empty-app":     {`<!DOCTYPE html><title>App</title><div id=root></div><script>throw 1</script>`, candor.GapEmpty},
		"spinner":       {`<!DOCTYPE html><title>App</title><style>@keyframes r{to{transform:rotate(1turn)}}i{display:block;width:80px;height:80px;border:8px solid red;animation:r 1s infinite}</style><div id=root><i></i>Loading…</div><script></script>`, candor.GapEmpty},
		"login-dialog":  {`<!DOCTYPE html><title>Plaza</title><dialog open style="position:fixed;inset:100px"><h2>Log in</h2>` + signInForm + `</dialog><p>Plaza</p>`, candor.GapLoginWall},
		"consent":       {shell("News", `<main><h1>News</h1>`+prose+`</main><style>body{overflow:hidden}</style><div style="position:fixed;inset:0;background:#0008"><div style="margin:200px;background:#fff">Your privacy: we and 812 partners store cookies. <button>Accept</button></div></div>`), candor.GapBlocked},
	}
	site := site(t, map[string]any{"/": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, cases[r.URL.Path[1:]].page)
	}})
	look := looker(t)
	for name, c := range cases {
		url := site.URL + "/" + name
		seen := look(url)
		seen.Asked, seen.Status = url, 200
		if g, ok := behaviour.Default().Obstacle(seen); g.Code != c.want || ok != (c.want != "") {
			t.Errorf("%s: got %+v, want %q; seen %+v", name, g, c.want, *seen)
		}
	}
}

// looker shows pages in one tab and says what is seen of them.
func looker(t *testing.T) func(url string) *behaviour.Seen {
	t.Helper()
	lease, err := pool.Borrow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lease.Return(false) })
	if _, err := cdp.Call(t.Context(), lease.Target, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 800, DeviceScaleFactor: 1}); err != nil {
		t.Fatal(err)
	}
	s := &session{lease: lease}
	return func(url string) *behaviour.Seen {
		t.Helper()
		nav, err := cdp.Call(t.Context(), lease.Target, cdppage.Navigate, cdppage.NavigateParams{URL: url})
		if err != nil || nav.ErrorText != "" {
			t.Fatal(url, err, nav.ErrorText)
		}
		final := ""
		loaded := func() bool {
			res, err := cdp.Call(t.Context(), lease.Target, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.readyState === 'complete' && location.href !== 'about:blank' && location.href"})
			return err == nil && json.Unmarshal(res.Result.Value, &final) == nil
		}
		if err := s.poll(t.Context(), 20*time.Second, loaded); err != nil {
			t.Fatal(url, err)
		}
		tree, err := cdp.Call(t.Context(), lease.Target, cdppage.GetFrameTree, cdp.Empty{})
		if err != nil {
			t.Fatal(err)
		}
		s.frame = tree.FrameTree.Frame.ID
		p, err := s.subject(t.Context())
		if err != nil {
			t.Fatal(url, err)
		}
		seen, err := behaviour.Look(t.Context(), p, behaviour.Default().Selectors(final))
		if err != nil {
			t.Fatal(url, err)
		}
		seen.Final, seen.Count = final, -1
		return seen
	}
}

// TestObstaclesOfTheCollectionAreSeen looks at the pages made for this.
func TestObstaclesOfTheCollectionAreSeen(t *testing.T) {
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
	look := looker(t)
	for _, p := range pages.All() {
		social := p.Group == pages.Social || p.Group == pages.Document
		if p.Group != pages.Obstacle && !(social && p.Profile == candor.Desktop) {
			continue
		}
		seen := look(server.URL(p))
		seen.Asked, seen.Status = server.URL(p), 200
		if p.Status >= 400 {
			seen.Status = p.Status
		}
		g, ok := behaviour.Default().Obstacle(seen)
		switch {
		case strings.Contains(p.Name, "consent"):
			if g.Detail != "consent" {
				t.Errorf("%s: got %+v; seen %+v", p.Name, g, *seen)
			}
		case p.Want.Gap != "" && p.Group == pages.Obstacle:
			if g.Code != p.Want.Gap || g.Fatal != (p.Want.Outcome == candor.Failed) {
				t.Errorf("%s: got %+v, want %+v; seen %+v", p.Name, g, p.Want, *seen)
			}
		case ok:
			t.Errorf("%s: got %+v for content; seen %+v", p.Name, g, *seen)
		}
	}
}

func TestObstaclesFailTheCaptureWithOneReason(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{
		"/post": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/login?next=/post", http.StatusFound)
		},
		"/login": shell("Welcome", signInForm),
		"/often": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, "<title>Wait</title><p>wait")
		},
		"/wait": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<!DOCTYPE html><title>Just a moment...</title><h1>Checking your browser</h1>")
		},
	})
	for path, want := range map[string]candor.Gap{
		"/post":  {Code: candor.GapLoginWall, Text: "asks to sign in"},
		"/often": {Code: candor.GapRateLimited, Detail: "429", Text: "asked too often"},
		"/wait":  {Code: candor.GapChallenge, Detail: "403", Text: "proof of a person"},
	} {
		c := capture(t, s.URL+path)
		c.want(candor.Failed, want.Text)
		fatal := 0
		for _, g := range c.Gaps {
			if g.Fatal {
				fatal++
			}
		}
		if fatal != 1 || c.Gaps[0].Code != want.Code || c.Gaps[0].Detail != want.Detail {
			t.Errorf("%s: the gaps are %+v", path, c.Gaps)
		}
		if _, ok := c.File(candor.Screenshot); !ok {
			t.Errorf("%s: there is no picture of the obstacle", path)
		}
	}
}

func TestOneReasonForAFailureIsChosen(t *testing.T) {
	var d doubts
	d.partial(candor.GapBlank, "", "the picture is a single colour")
	d.fail(candor.GapStatus, "403", "the server answered 403 Forbidden")
	d.fail(candor.GapChallenge, "403", "a page that wants proof of a person stands in its place (status 403)")
	d.partial(candor.GapSlow, "load", "slow")
	o, reason, gaps := d.outcome()
	if o != candor.Failed || len(gaps) != 3 || gaps[0].Code != candor.GapChallenge || strings.Contains(reason, "Forbidden") {
		t.Errorf("%s, %s, %+v", o, reason, gaps)
	}
	d.fail(candor.GapUnreachable, "", "the address could not be reached")
	if o, reason, gaps := d.outcome(); o != candor.Failed || len(gaps) != 2 || !strings.HasPrefix(reason, "the address") || gaps[1].Code != candor.GapSlow {
		t.Errorf("%s, %s, %+v", o, reason, gaps)
	}
	var p doubts
	p.partial(candor.GapSlow, "load", "slow")
	p.partial(candor.GapSlow, "load", "slow")
	if o, reason, gaps := p.outcome(); o != candor.Partial || reason != "slow" || len(gaps) != 1 {
		t.Errorf("%s, %s, %+v", o, reason, gaps)
	}
	var none doubts
	if o, reason, gaps := none.outcome(); o != candor.Complete || reason != "" || gaps != nil {
		t.Errorf("%s, %s, %+v", o, reason, gaps)
	}
}
