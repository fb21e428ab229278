package page

import (
	"encoding/json"
	stdhtml "html"
	"image/color"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/candor-archive/candor"
)

// wordsPage holds what makes reading a page hard.
const wordsPage = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Words</title><style>
*{margin:0}body{font:16px/24px monospace;width:600px}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.away{position:absolute;left:-9999px}.faint{opacity:0}.shout{text-transform:uppercase}
.before::before{content:"Note: "}.none{display:none}.later{content-visibility:auto}.never{content-visibility:hidden}
.slides{width:100px;height:24px;overflow:hidden;position:relative}.slides div{position:absolute;top:0;width:100px}
.scroll{height:24px;width:200px;overflow:auto}.chips b{display:inline-block;padding:0 8px}.letters i{display:inline-block}
.order{display:flex;flex-direction:row-reverse}
</style><body>
<h1>City of Larkspur</h1>
<p>El <b>martes</b> a las
 <i>6</i>, en la <a href="/sala">sala 2</a>.<span class="sr">only read aloud</span></p>
<a class="away" href="#main">Skip to the words</a>
<p class="faint">see-through</p>
<p class="shout">loud words</p><p class="before">generated</p><p class="none">nothing</p>
<p style="width:4em">extra&shy;ordinary</p>
<p style="width:100px">one two three four five</p>
<pre>first line
second line</pre>
<table><caption>Hours</caption><tr><th scope="col">Day<th scope="col">Open<tr><td><p>Mon</p><td>9 to 5<tr><td>Tue<td></table>
<ul><li>red<li>blue<ul><li>navy</ul></ul><ol start="3"><li>three<li>four</ol>
<details><summary>Closed one</summary>not shown</details><details open><summary>Open one</summary>is shown</details>
<div class="never">skipped for good</div>
<div style="height:3000px"></div>
<div class="later" style="contain-intrinsic-size:100px">far below</div>
<div class="slides"><div>slide one</div><div style="left:200px">slide two</div></div>
<div class="scroll">in view<br>line 2<br>scrolled away</div>
<p class="chips"><b>alpha</b><b>beta</b></p><p class="letters"><i>w</i><i>o</i><i>r</i><i>d</i></p>
<p class="order"><span>written first</span><span>written second</span></p>
<p dir="rtl" lang="he">שלום world עולם</p>
<p lang="es">Aviso público</p>
<p>icon &#xe900; here</p>
<label><input type="checkbox" checked> Water</label> <input value="typed words"> <input type="password" value="hunter22"> <input placeholder="say what">
<select><option>first</option><option selected>chosen</option></select><textarea>area words</textarea><button>Press</button>
<img alt="Map of Elm Street" src="/m.png" width="40" height="40"><img alt="" src="/m.png" width="40" height="40"><img src="/m.png" width="40" height="40"><img alt="tracker" src="/m.png" width="1" height="1">
<x-card>slotted<b slot="end">ending</b></x-card>
<x-manual><i>by hand</i></x-manual>
<iframe style="border:3px solid;padding:5px;display:block;height:60px" title="A form" srcdoc="<html lang=es><body style='margin:0'><p style='margin:0'>dentro</p><h2>Marco</h2>"></iframe>
<svg width="100" height="20" role="img" aria-label="A drawing"><text y="15">drawn</text></svg>
<video controls width="200" height="60" title="A film"></video>
<script>
document.querySelector('x-card').attachShadow({mode:'closed'}).innerHTML='<p>before <slot></slot> middle <slot name="end"></slot> after</p>';
const m=document.querySelector('x-manual'),r=m.attachShadow({mode:'open',slotAssignment:'manual'});r.innerHTML='<p>hand: <slot></slot>.</p>';r.querySelector('slot').assign(m.querySelector('i'));
</script>`

func TestTextIsWhatASightedPersonReads(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": wordsPage, "/m.png": served("image/png", picturePNG(40, 40, color.RGBA{0, 9, 99, 255}))})
	c := capture(t, s.URL+"/")
	want := strings.Join([]string{
		"City of Larkspur", "El martes a las 6, en la sala 2.", "LOUD WORDS", "Note: generated", "extraordinary", "one two three four five",
		"first line", "second line", "Hours", "Day\tOpen", "Mon\t9 to 5", "Tue", "red", "blue", "navy", "3. three", "4. four",
		"Closed one", "Open one", "is shown", "far below", "slide one", "in view", "line 2", "scrolled away", "alpha beta", "word",
		"written first", "written second", "שלום world עולם", "Aviso público", "icon here",
		"Water typed words •••••••• say what chosen area words Press", "before slotted middle ending after", "hand: by hand.", "dentro", "Marco", "drawn",
	}, "\n") + "\n"
	if text := c.read("text.txt"); text != want {
		t.Errorf("the text is\n%s\nwant\n%s", text, want)
	}
	var l Layout
	if err := json.Unmarshal([]byte(c.read("layout.json")), &l); err != nil {
		t.Fatal(err)
	}
	runs := map[string]Run{}
	for _, r := range l.Runs {
		runs[r.Text] = r
		if want[r.Start:r.End] != r.Text {
			t.Errorf("run %q is not at its place in the text", r.Text)
		}
	}
	for text, want := range map[string]struct {
		lang string
		out  bool
	}{"El": {}, "Aviso público": {lang: "es"}, "עולם": {lang: "he"}, "dentro": {lang: "es"}, "in view": {}, "scrolled away": {out: true}} {
		if r := runs[text]; r.Language != want.lang || r.Out != want.out {
			t.Errorf("the run %q is %+v", text, r)
		}
	}
	if a, b := runs["שלום"].Box, runs["עולם"].Box; a[0] <= b[0] {
		t.Errorf("the first word of a line from right to left is at %v, the last at %v", a, b)
	}
	if e, o := runs["extra"].Box, runs["ordinary"].Box; o[1] < e[1]+e[3]/2 {
		t.Errorf("the parts of a word that is broken are at %v and %v", e, o)
	}
	// The frame's words are inside its border and padding.
	if b := runs["dentro"].Box; b[0] != 8 {
		t.Errorf("the words of the frame are at %v", b)
	}
	if len(l.Links) != 1 || l.Links[0].Text != "sala 2" || l.Links[0].URL != s.URL+"/sala" {
		t.Errorf("links %+v", l.Links)
	}
	alts := []string{}
	for _, i := range l.Images {
		alts = append(alts, i.Alt)
	}
	if got := strings.Join(alts, "|"); got != "Map of Elm Street|||A drawing" {
		t.Errorf("the pictures are %q", got)
	}

	twin := c.read("twin.html")
	if f, ok := c.File(candor.TextTwin); !ok || f.Path != "twin.html" {
		t.Error("the manifest does not list the twin")
	}
	for _, part := range []string{
		`<html lang="en">`, `default-src 'none'`, "<h1>City of Larkspur</h1>", `<a href="#link-1">sala 2</a>`, `<li id="link-1">` + s.URL + "/sala</li>",
		`<span class="unseen">[not visible: only read aloud]</span>`, "[not visible: Skip to the words]", "[not visible: see-through]", "[not visible: slide two]",
		`<caption>Hours</caption>`, `<th scope="col">Day</th>`, "<td></td>", `<ol start="3"><li>three</li>`, "<li>blue<ul><li>navy</li>",
		`<div lang="he" dir="rtl">`, `<div lang="es"><p>Aviso público</p>`, "[selected] Water", `aria-label="Map of Elm Street"`, "[picture without a description]",
		`<section aria-label="embedded page: A form"><div lang="es"><p>dentro</p>`, "<h2>Marco</h2>", "[video: A film]", "<main>", "Versión en texto",
	} {
		if !strings.Contains(twin, part) {
			t.Errorf("the twin lacks %q", part)
		}
	}
	for _, part := range []string{"<script", "hunter22", "nothing", "not shown", "skipped for good", "tracker", "<img", "<iframe", `href="http`} {
		if strings.Contains(twin, part) || strings.Contains(want, part) {
			t.Errorf("the twin or the text holds %q", part)
		}
	}
	wellFormed(t, twin)
}

// wellFormed fails when a parser makes something else of the twin than it says.
func wellFormed(t *testing.T, twin string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(twin))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := html.Render(&b, doc); err != nil {
		t.Fatal(err)
	}
	tags := regexp.MustCompile(`<(/?[a-z0-9]+)`)
	list := func(s string) string {
		_, s, _ = strings.Cut(s, "<body>")
		var out []string
		for _, m := range tags.FindAllStringSubmatch(s, -1) {
			if !strings.HasSuffix(m[1], "tbody") { // parsers put it in by themselves
				out = append(out, m[1])
			}
		}
		return strings.Join(out, " ")
	}
	if a, b := list(twin), list(b.String()); strings.ReplaceAll(a, " /body /html", "") != strings.ReplaceAll(b, " /body /html", "") {
		t.Errorf("a parser reads\n%s\nof what was written as\n%s", b, a)
	}
}

// Pages may hold anything a script can build; the twin must still be what it
// says it is.
func TestTwinStaysWellFormedWhateverThePageIs(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>&lt;script>alert(1)&lt;/script></title><meta charset=utf-8>
<h1>A <div>block <h2>in a heading</h2></div> goes on</h1>
<div role="listitem">item of no list</div><div role="list"><p>text in a list</p><div role="listitem">item<div role="heading" aria-level="9">odd</div></div></div>
<div role="row">row of no table</div><div role="cell">cell of no table</div>
<div role="table"><span>loose</span><div role="cell">a</div><div role="cell">b</div><div role="row"><i>not a cell</i></div></div>
<a href="javascript:alert(1)">script link</a> <a href="/x?a=1&b=%22%3Cscript%3E">odd link <span id=in></span></a>
<p lang='"><script>alert(2)</script>'>strange language</p><img alt='"><script>alert(3)</script>' src="/m.png"><nav aria-label='"><script>'>named</nav>
<main>one</main><main>two</main><dl><p>text in terms</p><dt>t<dd>d</dl><p>&lt;b>not bold&lt;/b></p>
<script>const a=document.createElement('a');a.href='/inner';a.textContent='inner link';document.getElementById('in').append(a);
const p=document.createElement('p');p.innerHTML='outer';const q=document.createElement('div');q.textContent='in p';p.append(q);document.body.append(p);
const t=document.createElement('table');t.append('words in a table');const li=document.createElement('li');li.textContent='item in a table';t.append(li);document.body.append(t);
const u=document.createElement('ul');const td=document.createElement('td');td.textContent='cell in a list';u.append(td,'after it');document.body.append(u)</script>`,
		"/m.png": served("image/png", picturePNG(40, 40, color.RGBA{0, 9, 99, 255}))})
	c := capture(t, s.URL+"/")
	twin := c.read("twin.html")
	wellFormed(t, twin)
	if strings.Contains(twin, "<script") || strings.Contains(twin, "javascript:") {
		t.Errorf("a script came into the twin: %s", twin)
	}
	text := c.read("text.txt")
	for _, w := range strings.Fields(text) {
		if !strings.Contains(twin, stdhtml.EscapeString(w)) {
			t.Errorf("the twin lacks %q of the text", w)
		}
	}
	if n := strings.Count(twin, "<main>"); n != 1 {
		t.Errorf("%d main landmarks", n)
	}
}
