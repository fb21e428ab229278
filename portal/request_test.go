package portal_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/candor-archive/candor"
)

var (
	reHidden   = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)
	reTextarea = regexp.MustCompile(`(?s)<textarea[^>]* name="(\w+)"[^>]*>(.*?)</textarea>`)
	reInput    = regexp.MustCompile(`<input class="usa-input" id="\w+" name="(\w+)" type="\w+" value="([^"]*)"`)
	rePrivate  = regexp.MustCompile(`class="private-link">([^<]+)<`)
	reNumber   = regexp.MustCompile(`LPD-\d{4}-\d{6}`)
)

// fields reads the form on a page as a browser without script would send it.
func (a answer) fields() url.Values {
	v := url.Values{}
	for _, re := range []*regexp.Regexp{reHidden, reTextarea, reInput} {
		for _, m := range re.FindAllStringSubmatch(a.body, -1) {
			v.Set(m[1], strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&amp;", "&", "&lt;", "<", "&gt;", ">", "&#43;", "+").Replace(m[2]))
		}
	}
	return v
}

func with(v url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, x := range v {
		out[k] = x
	}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

func TestFilingARequestWithoutAccountOrScript(t *testing.T) {
	for _, lang := range []string{"en", "es"} {
		t.Run(lang, func(t *testing.T) {
			w := newWorld(t)
			b := w.browser(lang)
			words := map[string]string{"en": "Every post about the water main on Elm Street & what \"residents\" said", "es": "Todas las publicaciones sobre la tubería de agua de la calle Elm"}[lang]

			step1 := b.get("/requests/new?about="+w.post.ID).want(t, 200, `name="text"`, "Elm Street is closed")
			if strings.Contains(strings.ToLower(step1.body), `name="purpose"`) || strings.Contains(step1.body, `name="reason"`) {
				t.Error("the form asks for a reason")
			}
			// Nothing typed: the same step, with a summary that links to the field.
			b.post("/requests/new", with(step1.fields(), "text", " ", "go", "next")).want(t, http.StatusUnprocessableEntity, `role="alert"`, `href="#text"`, `id="text-error"`)

			step2 := b.post("/requests/new", with(step1.fields(), "text", words, "go", "next")).want(t, 200, `value="answered"`, `value="next"`)
			if !strings.Contains(step2.body, w.post.ID) && !strings.Contains(step2.body, w.spanish.ID) {
				t.Error("the archive's answers are not shown before sending")
			}
			step3 := b.post("/requests/new", with(step2.fields(), "go", "next")).want(t, 200, `name="email"`, `autocomplete="email"`)
			b.post("/requests/new", with(step3.fields(), "email", "not an address", "phone", "555", "go", "next")).
				want(t, http.StatusUnprocessableEntity, `href="#email"`, `value="not an address"`, `value="555"`)
			step4 := b.post("/requests/new", with(step3.fields(), "email", "ana@example.com", "name", "Ana", "go", "next")).want(t, 200, `value="send"`, "ana@example.com")
			if got := step4.fields().Get("text"); got != words {
				t.Errorf("the words arrived at the review as %q", got)
			}

			receipt := b.post("/requests/new", with(step4.fields(), "go", "send")).want(t, 200, "/my-request/dates")
			if receipt.Request.URL.Path != "/requests/sent" {
				t.Fatalf("sending led to %s", receipt.Request.URL)
			}
			number, link := reNumber.FindString(receipt.body), rePrivate.FindStringSubmatch(receipt.body)
			if number == "" || link == nil {
				t.Fatalf("no number or private link on the receipt:\n%s", receipt.body)
			}
			// The impatient second click is the same request.
			again := b.post("/requests/new", with(step4.fields(), "go", "send")).want(t, 200)
			if got := reNumber.FindString(again.body); got != number {
				t.Errorf("a second click filed %s beside %s", got, number)
			}
			list, err := w.store.Requests(context.Background(), candor.RequestFilter{})
			w.must(err)
			if len(list) != 1 {
				t.Fatalf("%d requests were filed", len(list))
			}
			if r := list[0]; r.Text != words || r.Email != "ana@example.com" || r.Language != lang || r.AboutID != w.post.ID || r.Number != number {
				t.Errorf("filed as %+v", r)
			}

			// The private link opens it in any browser and leaves the address bar.
			other := w.browser(lang)
			other.get("/my-request").want(t, 200, `name="number"`).without(t, number)
			mine := other.get(strings.TrimPrefix(link[1], w.site.URL)).want(t, 200, number, "ana@example.com")
			if mine.Request.URL.Path != "/my-request" {
				t.Errorf("the link led to %s", mine.Request.URL)
			}
			other.get("/my-request/dates").want(t, 200, "2026", "552")
			other.post("/my-request/messages", url.Values{"body": {"¿Cuándo?"}}).want(t, 200, "¿Cuándo?")
			other.post("/my-request/messages", url.Values{"body": {""}}).want(t, http.StatusUnprocessableEntity, `href="#body"`)

			// The number alone opens nothing.
			b3 := w.browser(lang)
			real := b3.get("/requests/"+number).want(t, 200).without(t, "water", "agua", "ana@example.com")
			made := b3.get("/requests/LPD-2026-999999").want(t, 200)
			if strings.ReplaceAll(real.body, number, "N") != strings.ReplaceAll(made.body, "LPD-2026-999999", "N") {
				t.Error("a number that exists can be told from one that does not")
			}
			for _, path := range []string{"/my-request/dates", "/my-request/withdraw", "/my-request/files/x", "/my-request/bundles/x"} {
				if a := b3.get(path); a.StatusCode != http.StatusForbidden {
					t.Errorf("%s without a session: %d", path, a.StatusCode)
				}
			}
			b3.get("/r/"+candor.NewSecret()).want(t, 404, "/track")

			other.get("/my-request/withdraw").want(t, 200, number)
			other.post("/my-request/withdraw", url.Values{"reason": {""}}).want(t, 200)
			list, err = w.store.Requests(context.Background(), candor.RequestFilter{})
			w.must(err)
			if list[0].Stage != candor.Closed || list[0].Disposition != candor.Withdrawn {
				t.Errorf("after withdrawing: %s, %s", list[0].Stage, list[0].Disposition)
			}
			other.get("/my-request/withdraw").want(t, http.StatusConflict)
		})
	}
}

func TestLanguageSwitchKeepsTheDraft(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	step1 := b.get("/requests/new")
	// Half-typed words go along with the button that switches the language.
	es := b.post("/requests/new", with(step1.fields(), "text", "half a sen", "lang", "es")).want(t, 200, `<html lang="es">`, ">half a sen</textarea>", "Paso 1 de 4").
		without(t, `role="alert"`)
	if es.fields().Get("draft") != step1.fields().Get("draft") {
		t.Error("the switch made another draft")
	}
	step2 := b.post("/requests/new", with(es.fields(), "text", "agua", "go", "next")).want(t, 200, `<html lang="es">`)
	step3 := b.post("/requests/new", with(step2.fields(), "go", "next"))
	en := b.post("/requests/new", with(step3.fields(), "email", "a@b.example", "postal", "Calle 1\nPasadena", "lang", "en")).
		want(t, 200, `<html lang="en">`, "a@b.example", "Calle 1\nPasadena", "Step 3 of 4")
	if en.fields().Get("text") != "agua" {
		t.Errorf("the words became %q", en.fields().Get("text"))
	}
	// And back to the first step without losing what came later.
	back := b.post("/requests/new", with(en.fields(), "go", "1")).want(t, 200, ">agua</textarea>")
	if back.fields().Get("email") != "a@b.example" {
		t.Error("going back lost the email address")
	}
}

func TestAnsweredByTheArchiveFilesNothing(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	step1 := b.get("/requests/new")
	step2 := b.post("/requests/new", with(step1.fields(), "text", "water main repair on Elm Street", "go", "next"))
	b.post("/requests/new", with(step2.fields(), "go", "answered")).want(t, 200, "No request was made", w.site.URL+"/archive/"+w.post.ID)
	list, err := w.store.Requests(context.Background(), candor.RequestFilter{})
	w.must(err)
	if len(list) != 0 {
		t.Errorf("%d requests were filed", len(list))
	}
}

func TestFreshLinkAnswersAlike(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	step1 := b.get("/requests/new")
	sent := b.post("/requests/new", with(step1.fields(), "text", "anything", "email", "ana@example.com", "go", "send", "step", "4"))
	number := reNumber.FindString(sent.body)
	link := rePrivate.FindStringSubmatch(sent.body)
	outbox := func() int {
		list, err := w.store.Outbox(context.Background(), 50)
		w.must(err)
		return len(list)
	}
	before := outbox()
	wrong := w.browser("en").post("/track", url.Values{"number": {number}, "email": {"someone@example.com"}}).want(t, 200)
	none := w.browser("en").post("/track", url.Values{"number": {"LPD-2026-777777"}, "email": {"ana@example.com"}}).want(t, 200)
	if outbox() != before {
		t.Error("a mail went out for a number and address that do not belong together")
	}
	right := w.browser("en").post("/track", url.Values{"number": {strings.ToLower(number)}, "email": {"Ana@example.com"}}).want(t, 200)
	if wrong.body != right.body || none.body != right.body {
		t.Error("the answers differ")
	}
	if outbox() != before+1 {
		t.Error("no fresh link was mailed")
	}
	w.browser("en").get(strings.TrimPrefix(link[1], w.site.URL)).want(t, 404)
	w.browser("en").post("/track", url.Values{"number": {""}, "email": {"x"}}).want(t, http.StatusUnprocessableEntity, `href="#number"`, `href="#email"`)
}

func TestFilingTooOftenIsSlowedNotLost(t *testing.T) {
	w := newWorld(t)
	b := w.browser("en")
	form := b.get("/requests/new").fields()
	for i := range 200 {
		a := b.post("/requests/new", with(form, "text", fmt.Sprint("words ", i), "go", "1"))
		if a.StatusCode == http.StatusTooManyRequests {
			if i < 20 {
				t.Errorf("stopped after %d steps", i)
			}
			a.want(t, 429, "nothing of it was lost", "records@larkspur.example")
			if a.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			return
		}
	}
	t.Error("two hundred steps in a moment were all let through")
}
