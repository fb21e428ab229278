package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// visitor is a person at a real browser of their own.
type visitor struct {
	t    *testing.T
	ctx  context.Context
	who  string
	home string // the portal
}

// newVisitor opens a browser with its own cookies and language.
func newVisitor(t *testing.T, who, home, language string) *visitor {
	t.Helper()
	chrome := os.Getenv("CANDOR_CHROME")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && chrome == "" {
			chrome = path
		}
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chrome), chromedp.Flag("lang", language),
		chromedp.Flag("accept-lang", language), chromedp.WindowSize(390, 844), chromedp.DisableGPU)
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	alloc, stopChrome := chromedp.NewExecAllocator(t.Context(), opts...)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(func() { stop(); stopChrome() })
	return &visitor{t: t, ctx: ctx, who: who, home: home}
}

func (v *visitor) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		v.t.Fatalf("%s: %s: %v\non the page: %s", v.who, what, err, v.words())
	}
}

// open goes to a page of the portal.
func (v *visitor) open(path string) {
	v.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = v.home + path
	}
	// The first action starts the browser, which must not end with do's deadline.
	if err := chromedp.Do(v.ctx, chromedp.Navigate(path)); err != nil {
		v.t.Fatalf("%s: open %s: %v", v.who, path, err)
	}
}

// press clicks what a selector names and waits for the next page.
func (v *visitor) press(selector string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 30*time.Second)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Click(chromedp.CSS(selector))))
	if err != nil {
		v.t.Fatalf("%s: press %s: %v\non the page: %s", v.who, selector, err, v.words())
	}
}

// write types into a field.
func (v *visitor) write(selector, text string) {
	v.t.Helper()
	v.do("write into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// clear empties a field.
func (v *visitor) clear(selector string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 10*time.Second)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void]("document.querySelector("+quoteJS(selector)+").value = ''")); err != nil {
		v.t.Fatalf("%s: clear %s: %v\non the page: %s", v.who, selector, err, v.words())
	}
}

// tick chooses a box or radio button, whose label is what people click.
func (v *visitor) tick(id string) {
	v.t.Helper()
	v.do("tick "+id, chromedp.Click(chromedp.CSS("label[for='"+id+"']")))
}

// words is what the page says.
func (v *visitor) words() string {
	ctx, cancel := context.WithTimeout(v.ctx, 10*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return s
}

// text is what one element says.
func (v *visitor) text(selector string) string {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 10*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		v.t.Fatalf("%s: read %s: %v\non the page: %s", v.who, selector, err, v.words())
	}
	return strings.TrimSpace(s)
}

// count is how many elements a selector names, without waiting.
func (v *visitor) count(selector string) int {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 10*time.Second)
	defer cancel()
	n, err := chromedp.Run(ctx, chromedp.Evaluate[int]("document.querySelectorAll("+quoteJS(selector)+").length"))
	if err != nil {
		v.t.Fatalf("%s: count %s: %v", v.who, selector, err)
	}
	return n
}

func quoteJS(s string) string { return "'" + strings.ReplaceAll(s, "'", `\'`) + "'" }

// wants fails the test unless the page says all of the words.
func (v *visitor) wants(words ...string) {
	v.t.Helper()
	said := strings.ToLower(v.words())
	for _, w := range words {
		if !strings.Contains(said, strings.ToLower(w)) {
			v.t.Fatalf("%s: the page does not say %q:\n%s", v.who, w, said)
		}
	}
}

// wantsNot fails the test if the page says any of the words.
func (v *visitor) wantsNot(words ...string) {
	v.t.Helper()
	said := strings.ToLower(v.words())
	for _, w := range words {
		if strings.Contains(said, strings.ToLower(w)) {
			v.t.Fatalf("%s: the page says %q:\n%s", v.who, w, said)
		}
	}
}

// signIn signs a member of staff in.
func (v *visitor) signIn(email, password string) {
	v.t.Helper()
	v.open("/staff/sign-in")
	v.write("#email", email)
	v.write("#password", password)
	v.press("form[action='/staff/sign-in'] button")
	v.wants("Sign out")
}

// downloads clicks a link and gives the file that arrives.
func (v *visitor) downloads(selector string) string {
	v.t.Helper()
	dir := v.t.TempDir()
	ctx, cancel := context.WithTimeout(v.ctx, 60*time.Second)
	defer cancel()
	events := true
	_, err := chromedp.Call(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir, EventsEnabled: &events})
	if err != nil {
		v.t.Fatalf("%s: allow downloads: %v", v.who, err)
	}
	v.do("download", chromedp.Click(chromedp.CSS(selector)))
	for ctx.Err() == nil {
		files, err := os.ReadDir(dir)
		if err != nil {
			v.t.Fatal(err)
		}
		if len(files) == 1 && !strings.HasSuffix(files[0].Name(), ".crdownload") && !strings.HasPrefix(files[0].Name(), ".") {
			return dir + "/" + files[0].Name()
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	v.t.Fatalf("%s: nothing was downloaded", v.who)
	return ""
}

// address is where the browser is.
func (v *visitor) address() string {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 10*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		v.t.Fatalf("%s: where am I: %v", v.who, err)
	}
	s, _, _ = strings.Cut(s, "#")
	s, _, _ = strings.Cut(s, "?")
	return strings.TrimSuffix(s, "/")
}

// follow clicks the link that says the words and waits for its page.
func (v *visitor) follow(words string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 30*time.Second)
	defer cancel()
	link := chromedp.Search("//main//a[contains(., '" + words + "')]")
	if _, err := chromedp.Run(ctx, chromedp.WaitEvent(page.LoadEventFired, nil, chromedp.Click(link))); err != nil {
		v.t.Fatalf("%s: follow %q: %v\non the page: %s", v.who, words, err, v.words())
	}
}
