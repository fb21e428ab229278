package fidelity

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/candor-archive/candor"
)

// original is a page with something for every sense of the judge.
const original = `<!doctype html><meta charset=utf-8><title>t</title><style>summary { display: block }</style><body style="margin:0;height:900px;background:#fff">
<p>The bridge on Mill Street stays closed until Monday.</p>
<p style="color:#fff">White words on white ground.</p>
<p hidden>Nobody sees this.</p><p style="visibility:hidden">Nor this.</p>
<div><template shadowrootmode=closed><p>Inside a closed root</p><slot></slot></template>and outside it</div>
<iframe srcdoc="<p>Words in a frame" style="border:0"></iframe>
<input value="a value"><details open><summary>More</summary>shown <details><summary>Less</summary>not shown</details></details>
<i style="position:absolute;left:700px;top:850px;width:4px;height:4px;background:#369"></i>
</body>`

func TestJudgeSeesTheSmallestDifference(t *testing.T) {
	j := theJudge(t)
	var reached atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" && r.URL.Path != "/favicon.ico" { // the live visit may ask for an icon
			reached.Add(1)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, original)
	}))
	defer s.Close()
	dir := t.TempDir()
	live, err := j.Visit(t.Context(), desktop, candor.PolicyLoad, s.URL+"/", filepath.Join(dir, "live.png"))
	if err != nil {
		t.Fatal(err)
	}
	const words = "The bridge on Mill Street stays closed until Monday. White words on white ground. Inside a closed root and outside it Words in a frame a value More shown Less"
	if live.Text != words {
		t.Errorf("the judge reads %q", live.Text)
	}
	for _, c := range []struct {
		name     string
		from, to string
		px       int64
		text     bool // differs
		requests int
		size     bool // wrong
	}{
		{name: "nothing changed"},
		{name: "one pixel", from: "width:4px;height:4px", to: "width:4px;height:4px;clip-path:polygon(0 0,4px 0,4px 3px,3px 3px,3px 4px,0 4px)", px: 1},
		{name: "a colour nobody can tell apart", from: "background:#369", to: "background:#376999"},
		{name: "one word, where it cannot be seen", from: "White words on", to: "White on", text: true},
		{name: "a word in a closed root", from: "Inside a closed", to: "Inside a<!---->&nbsp;", px: -1, text: true},
		{name: "a word in a frame", from: "Words in a frame", to: "Words in frame", px: -1, text: true},
		{name: "a picture from the site", from: "<p hidden>", to: `<img hidden src="` + s.URL + `/a.png"><p hidden>`, requests: 1},
		{name: "a sheet beside the file", from: "<p hidden>", to: `<link rel=stylesheet href=beside.css><p hidden>`, requests: 1},
		{name: "a frame from the site", from: "<p hidden>", to: `<iframe src="` + s.URL + `/f" style="position:absolute;width:0;height:0;border:0"></iframe><p hidden>`, requests: 1},
		{name: "a script that would ask", from: "<p hidden>", to: `<script>fetch("` + s.URL + `/x")</script><p hidden>`},
		{name: "one pixel higher", from: "height:900px", to: "height:901px", size: true},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			changed := strings.Replace(original, c.from, c.to, 1)
			if c.from != "" && changed == original {
				t.Fatal("the page has no such place")
			}
			path := filepath.Join(t.TempDir(), "snapshot.html")
			if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			offline, err := j.Open(t.Context(), desktop, path, filepath.Join(dir, "offline.png"))
			if err != nil {
				t.Fatal(err)
			}
			l, err := Compare(live.Picture, offline.Picture)
			if err != nil {
				t.Fatal(err)
			}
			if l.SizeWrong != c.size {
				t.Errorf("size wrong: %v", l.SizeWrong)
			}
			if !c.size && l.Differing != c.px && !(c.px < 0 && l.Differing > 0) {
				t.Errorf("%d pixels differ, want %d: %s", l.Differing, c.px, l)
			}
			if apart := Apart(live.Text, offline.Text); (apart != "") != c.text {
				t.Errorf("text: %q", apart)
			}
			if len(offline.Requests) != c.requests {
				t.Errorf("requests: %v, want %d", offline.Requests, c.requests)
			}
		})
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests reached the site from a snapshot", n)
	}
}

func TestTallPagesAreJudgedToTheirEnd(t *testing.T) {
	j, dir := theJudge(t), t.TempDir()
	page := func(colour string) string {
		path := filepath.Join(dir, strings.TrimPrefix(colour, "#")+".html")
		text := `<!doctype html><body style="margin:0"><div style="height:25999px;background:repeating-linear-gradient(#124 0 100px,#fed 100px 200px)"></div><div style="height:1px;background:linear-gradient(90deg,#fff 1279px,` + colour + ` 1279px)"></div>`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Open(t.Context(), desktop, path, path+".png"); err != nil {
			t.Fatal(err)
		}
		return path + ".png"
	}
	a, b := page("#f00"), page("#0f0")
	l, err := Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if l.SizeWrong || l.Differing != 1 || l.Where[0] != "1279,25999 1×1" {
		t.Errorf("one pixel in the last corner differs, but the judge says %s", l)
	}
	beside := filepath.Join(dir, "beside.png")
	if err := Beside(a, b, beside); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(beside); err != nil || info.Size() == 0 {
		t.Errorf("no picture for people: %v", err)
	}
}
