package portal_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/auth"
)

const wordsLayout = `{"version":1,"width":640,"height":480,"runs":[
{"text":"Elm Street is closed","box":[40,60,200,20],"start":0,"end":20},
{"text":"Thank you for the heads-up.","box":[40,100,260,20],"start":21,"end":48},
{"text":"La vacu","box":[40,140,70,20],"start":49,"end":56},{"text":"nación se cierra","box":[110,140,130,20],"start":56,"end":73},
{"text":"closed and scrolled away","box":[40,160,260,20],"start":74,"end":98,"out":true}]}`

// rich adds all that a capture can have.
func rich(m *candor.Manifest, files []file) []file {
	m.Shown = []candor.Shown{{What: "comments", Shown: 12, Of: 40}}
	m.Gaps = []candor.Gap{{Code: candor.GapSlow, Detail: "network_quiet", Text: "the network was not quiet within 8s"},
		{Code: candor.GapShown, Detail: "12 of 40", Text: "12 of 40 comments are shown"},
		{Code: "from_the_future", Text: "something new happened"}}
	m.Steps = append(m.Steps, candor.Step{Name: "network_quiet", Outcome: candor.StepTimedOut}, candor.Step{Name: "rendition_mobile", Outcome: candor.StepDone})
	m.Behaviours = []candor.BehaviourRun{{Name: "townsquare", Version: 3, Steps: []candor.Step{{Name: "more comments", Outcome: candor.StepDone, Detail: "4 clicks"}, {Name: "more replies", Outcome: candor.StepSkipped, Detail: "nothing to click"}, {Name: "a new trick", Outcome: candor.StepSkipped}}}}
	m.Check = &candor.SelfCheck{Pixels: 307200, Differing: 922, Threshold: 0.1, TextEqual: true, Duration: time.Second,
		Regions: []candor.CheckRegion{{Box: [4]float64{10, 300, 60, 40}, Share: 0.4, Cause: "video"}}}
	m.Renditions = []candor.RenditionAccount{
		{Name: "mobile", Profile: candor.Mobile, Outcome: candor.Complete},
		{Name: candor.RenditionCleaned, Outcome: candor.Complete, Altered: []string{"hid a banner"}}}
	return append(files,
		file{candor.File{Kind: candor.Layout, Path: "layout.json", MediaType: "application/json"}, []byte(wordsLayout)},
		file{candor.File{Kind: candor.TextTwin, Path: "twin.html", MediaType: "text/html; charset=utf-8"}, []byte("<!doctype html><title>t</title><h1>Elm Street is closed</h1>")},
		file{candor.File{Kind: candor.Difference, Path: "difference.png", MediaType: "image/png", Width: 64, Height: 48}, picture(64, 48)},
		file{candor.File{Kind: candor.Screenshot, Path: "mobile/screenshot.png", MediaType: "image/png", Width: 390, Height: 900, Rendition: "mobile"}, picture(390, 900)},
		file{candor.File{Kind: candor.Screenshot, Path: "cleaned/screenshot.png", MediaType: "image/png", Width: 640, Height: 470, Rendition: candor.RenditionCleaned}, picture(640, 470)})
}

// signedIn is the browser of a member of staff.
func (w *world) signedIn(role candor.Role, lang string) *browser {
	w.t.Helper()
	b := w.browser(lang)
	email := string(role) + lang + "@larkspur.example"
	w.person(email, role)
	u, err := w.store.UserByEmail(context.Background(), email)
	w.must(err)
	rec := httptest.NewRecorder()
	w.must(auth.NewSessions(auth.Config{Store: w.store, BaseURL: w.site.URL}).StartStaff(rec, httptest.NewRequest(http.MethodPost, "/staff/sign-in", nil), u))
	at, err := url.Parse(w.site.URL)
	w.must(err)
	b.client.Jar.SetCookies(at, rec.Result().Cookies())
	return b
}

var reMark = regexp.MustCompile(`<rect id="found-\d+" x="([\d.]+)" y="([\d.]+)"`)

func TestWordsThatWereLookedForAreOutlinedOnThePicture(t *testing.T) {
	w := newWorld(t)
	c := w.commit(w.source, w.post, "Elm Street is closed", candor.Partial, rich)
	en, es := w.browser("en"), w.browser("es")
	at := w.captureURL(c)
	for query, want := range map[string]string{
		"closed":  "37 57", // and not the words that the picture does not show
		"CLOSING": "37 57", "street -closed": "37 57", `"elm street"`: "37 57", `"street elm"`: "", "elm heads": "37 57 37 97",
		"vacunacion": "37 137 107 137", // two pieces of one word, without its accent
		"budget":     "", "-closed": "", `"`: "", "<script>": "",
	} {
		page := en.get(at+"?q="+url.QueryEscape(query)).want(t, 200).without(t, "<script", "style=")
		var got []string
		for _, m := range reMark.FindAllStringSubmatch(page.body, -1) {
			got = append(got, m[1], m[2])
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s outlines %q, want %q", query, s, want)
		}
	}
	en.get(at+"?q=closed").want(t, 200, `viewBox="0 0 640 480"`, `<a href="#found-1">Elm Street is closed</a>`, "outlined in 1 place", `aria-hidden="true"`)
	es.get(at+"?q=closed").want(t, 200, "está marcado en 1 lugar")
	en.get(at+"?q=budget").want(t, 200, "does not stand on this picture")
	// From the search to the place on the picture.
	if hits := en.get("/archive?q=elm").want(t, 200).body; !strings.Contains(hits, "/archive/"+w.post.ID+"?q=elm") {
		t.Error("a hit does not say what was looked for")
	}
	en.get("/archive/"+w.post.ID+"?q=elm").want(t, 200, `<rect id="found-1"`)
	w.signedIn(candor.Officer, "en").get("/staff/captures/"+c.ID+"?q=elm").want(t, 200, `<rect id="found-1"`).without(t, "differs-1\" x=")
}

func TestCapturePagesSayHowItWentInWords(t *testing.T) {
	w := newWorld(t)
	c := w.commit(w.source, w.post, "Elm Street is closed", candor.Partial, rich)
	machine := []string{"network_quiet", "from_the_future</", "rendition_", ">mobile<", "gap.", "check.", "cause.", "stepname.", "%!", "<no value>"}

	en := w.browser("en").get(w.captureURL(c)).want(t, 200, "What is missing", "Wait until nothing more is fetched", "12 of 40 comments", "something new happened",
		"0.3% differs", "townsquare", "Open more comments", "nothing to do", "skipped", `lang="en">a new trick`, "On a phone", "Altered", "twin.html")
	en.without(t, machine...)
	es := w.browser("es").get(w.captureURL(c)).want(t, 200, "Qué falta", "12 de 40 comentarios", "difiere en un 0.3 %", "En un teléfono", "Alterada", `<span lang="en">something new happened</span>`)
	es.without(t, append(machine, "What is", "The page")...)

	for _, lang := range []string{"en", "es"} {
		b := w.signedIn(candor.Officer, lang)
		page := b.get("/staff/captures/"+c.ID).want(t, 200, `<rect id="differs-1" x="10" y="300" width="60" height="40"/>`, `href="#differs-1"`, "difference.png", "manifest.json", "twin.html", "/page")
		page.without(t, machine...)
		b.get("/staff/captures/"+c.ID+"/difference.png").want(t, 200)
		record := b.get("/staff/records/"+w.post.ID).want(t, 200, "/staff/captures/"+c.ID)
		record.without(t, machine...)
	}
	w.signedIn(candor.Clerk, "es").get("/staff/records/"+w.post.ID).want(t, 200, "Pueden faltar partes").without(t, "not quiet within")
}

func TestRenditionsAreLinksAndAlteredOnesSaySo(t *testing.T) {
	w := newWorld(t)
	c := w.commit(w.source, w.post, "Elm Street is closed", candor.Partial, rich)
	b := w.browser("en")
	at := w.captureURL(c)
	b.get(at).want(t, 200, at+"?rendition=mobile", `aria-current="page"`, at+"/screenshot.png")
	b.get(at+"?rendition=mobile&q=elm").want(t, 200, at+"/mobile/screenshot.png", `width="390"`, at+"?q=elm").without(t, "This picture was altered", at+"/screenshot.png")
	b.get(at+"?rendition=cleaned").want(t, 200, at+"/cleaned/screenshot.png", "This picture was altered", "does not show what a visitor saw", `lang="en"`)
	b.get(at+"?rendition=%3Cx%3E").want(t, 200, at+"/screenshot.png")
	if got := b.get(at+"/mobile/screenshot.png").want(t, 200).Header.Get("Content-Type"); got != "image/png" {
		t.Errorf("the picture is %s", got)
	}
	b.get(at+"/mobile/twin.html").want(t, 404)
	b.get(at+"/mobile/manifest.json").want(t, 404)
	w.signedIn(candor.Officer, "en").get("/staff/captures/"+c.ID+"?rendition=cleaned").want(t, 200, "/cleaned/screenshot.png", "This picture was altered")

	// What is not public stays so, whatever it is called.
	private := w.commit(w.source, w.private, "confidential title", candor.Complete, rich)
	for _, path := range []string{"", "?rendition=mobile", "/mobile/screenshot.png", "/twin.html", "/difference.png", "?q=elm"} {
		b.get(w.captureURL(private)+path).want(t, 404).without(t, "Elm", "\x89PNG")
	}
	b.get(at+"/difference.png").want(t, 404)
	b.get("/staff/captures/"+c.ID).without(t, "differs-1")
}

func TestTwinIsServedWithoutRights(t *testing.T) {
	w := newWorld(t)
	c := w.commit(w.source, w.post, "Elm Street is closed", candor.Complete, rich)
	a := w.browser("en").get(w.captureURL(c)+"/twin.html").want(t, 200, "<h1>Elm Street is closed</h1>")
	if csp := a.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox; default-src 'none'") || strings.Contains(csp, "script") || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the policy is %q", csp)
	}
}

// spanishPost adds a post that nothing was withdrawn from.
func (w *world) spanishPost() candor.Record {
	r := w.record(w.source, candor.Post, "Larkspur Police Department", "es", "")
	w.sweep(w.source, epoch.Add(4*time.Hour), candor.Change{Record: r, Revision: revision(r, 1, "La calle Elm está cerrada.")})
	return r
}

func TestCapturesWithoutAPictureSayWhy(t *testing.T) {
	w := newWorld(t)
	post := w.spanishPost()
	failed := w.commit(w.source, post, "", candor.Failed, func(m *candor.Manifest, files []file) []file {
		m.Gaps = []candor.Gap{{Code: candor.GapLoginWall, Fatal: true, Text: "the page asks to sign in"}}
		m.HTTPStatus = 0
		return nil
	})
	pdf := w.commit(w.source, post, "", candor.Complete, func(m *candor.Manifest, files []file) []file {
		return []file{{candor.File{Kind: candor.Original, Path: "bodies/original", MediaType: "application/pdf"}, []byte("%PDF-1.7 words")}}
	})
	old := w.commit(w.source, post, "", candor.Failed, func(m *candor.Manifest, files []file) []file {
		m.Reason = "the server was asleep" // as manifests said it before there were gaps
		return nil
	})
	for _, lang := range []string{"en", "es"} {
		officer := w.signedIn(candor.Officer, lang)
		for _, c := range []candor.Capture{failed, pdf, old} {
			w.browser(lang).get(w.captureURL(c)).want(t, 200).without(t, "screenshot.png", "<no value>")
			officer.get("/staff/captures/"+c.ID).want(t, 200).without(t, "screenshot.png", "<no value>")
		}
	}
	en := w.browser("en")
	en.get(w.captureURL(failed)).want(t, 200, "Why there is no capture", "asks visitors to sign in", "there is no picture")
	w.browser("es").get(w.captureURL(failed)).want(t, 200, "pide iniciar sesión").without(t, "asks")
	en.get(w.captureURL(old)).want(t, 200, `<span lang="en">the server was asleep</span>`)
	en.get(w.captureURL(pdf)).want(t, 200, "a PDF document", w.captureURL(pdf)+"/original")
	a := en.get(w.captureURL(pdf)+"/original").want(t, 200, "%PDF-1.7")
	if got := a.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment") || a.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("a stranger's file is sent as %s, %s", a.Header.Get("Content-Type"), got)
	}
	w.signedIn(candor.Clerk, "en").get("/staff/records/"+post.ID).want(t, 200, "asks visitors to sign in").without(t, "screenshot.png")
}

func TestTitlesSayTheirLanguage(t *testing.T) {
	w := newWorld(t)
	w.commit(w.source, w.spanishPost(), "La calle Elm está cerrada", candor.Complete)
	w.browser("en").get("/").want(t, 200, `<span class="gallery__title" lang="es">La calle Elm está cerrada</span>`)
	w.browser("es").get("/").want(t, 200, `<span class="gallery__title" lang="en">Elm Street is closed</span>`)
}
