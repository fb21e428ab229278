package page

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/candor-archive/candor"
	"golang.org/x/net/html"
)

// statePages hold what no markup says by itself, several things a page.
var statePages = map[string]string{
	"states": `<style>x-lamp{display:inline-block;padding:9px;background:#ddd}x-lamp:state(on){background:gold}a[href^="/"]{color:green}a[href^="http"]{color:red}[onclick]{border:1px solid}
			::highlight(found){background:orange}.s::selection{background:lime;color:navy}a::after{content:" (" attr(href) ")"}@font-face{font-family:Own;src:url(/font)}</style>
		<link rel=stylesheet title=One href=/one.css><link rel="alternate stylesheet" title=Two href=/two.css>
		<x-lamp id=l>lamp</x-lamp><p id=h>words to be found, found again</p><p class=s id=s>these are selected words</p><a href="/in">inside</a> <a href="http://example.org/">outside</a><p onclick="x()">handled</p>
		<div id=m>loose <b>first</b><i>second</i></div><input type=checkbox id=c style="margin:6px"><p class=titled>titled</p><svg width=200 height=40><rect width=20 height=40><animate attributeName="x" from="0" to="180" dur="9s"/></rect></svg>
		<script>customElements.define('x-lamp',class extends HTMLElement{connectedCallback(){this.attachInternals().states.add('on')}});c.indeterminate=true;
		const r=new Range();r.setStart(h.firstChild,12);r.setEnd(h.firstChild,17);CSS.highlights.set('found',new Highlight(r));getSelection().setBaseAndExtent(s.firstChild,6,s.firstChild,14);
		const d=m.attachShadow({mode:'open',slotAssignment:'manual'});d.innerHTML='<slot id=a></slot> and <slot id=b></slot>';d.getElementById('a').assign(m.querySelector('i'));d.getElementById('b').assign(m.querySelector('b'));
		CSS.registerProperty({name:'--w',syntax:'<length>',inherits:false,initialValue:'77px'});document.write('<div style="width:var(--w);height:9px;background:teal"></div>')</script>`,
	"layers": `<style>dialog,[popover]{width:200px;border:3px solid}#a::backdrop{background:#f008}#q{inset:auto;top:60px;left:300px;background:#ffc}.box{overflow:hidden;transform:translateX(9px);height:60px}</style>
		<div class=box>clipped<dialog id=a>first<div id=q popover>within the first</div></dialog></div><dialog id=b>second</dialog><div id=p popover=manual style="inset:auto;top:80px;left:340px">third</div>
		<script>a.showModal();b.showModal();p.showPopover();q.showPopover();document.activeElement.blur()</script>`,
	"unparsed": `<style>p>div{background:#dfd;padding:4px}a a{color:red}form form{border:2px dotted}tr:nth-child(2){background:#eef}td{border:1px solid}</style><div id=h></div><script>
		const m=(t,...k)=>{const e=document.createElement(t);e.append(...k);if(t=='a')e.href='#';return e};
		h.append(m('p','before ',m('div','a block'),' after'),m('p',m('a','link ',m('a','in a link'),' end')),m('form','outer ',m('form','inner'),' end'),m('div',m('tr',m('td','a cell'),m('td','alone'))),
		m('table',m('tr',m('td','one')),m('tr',m('td','two')),'words',m('div','block')),m('button','b ',m('button','in b')),m('h2','x',m('h3','y')),m('ul',m('li','one',m('li','in one'))),m('plaintext','<b>not bold</b>'),m('svg','no drawing'));
		document.documentElement.append(m('div','after the body'))</script>`,
	"scrolled": `<style>body{margin:0}#t{position:fixed;top:0;left:0;background:gold}#f{position:sticky;top:30px;background:cyan}.row{height:30px}</style><div id=t>fixed</div><div id=f>sticky</div><textarea id=a rows=3></textarea><div id=b style="height:90px;width:200px;overflow:hidden"></div><div id=r></div>
		<iframe id=i width=200 height=90 srcdoc="<div style='height:900px;background:linear-gradient(red,blue)'>in the frame</div>"></iframe>
		<script>for(let i=0;i<60;i++)r.innerHTML+='<div class=row style="background:hsl('+i*6+' 80% 80%)">row '+i+'</div>';a.value='one\ntwo\nthree\nfour\nfive\nsix';a.scrollTop=40;b.textContent='text alone in a box '.repeat(40);b.scrollTop=33;onload=()=>{i.contentWindow.scrollTo(0,250);scrollTo(0,420)}</script>`,
	"refused": `<meta http-equiv=Content-Security-Policy content="style-src 'nonce-n'"><style nonce=n>p{color:green}</style><style>p{color:red}</style><p style="font-size:60px">green and small</p>`,
	"under":   `<style>#v{width:300px;height:200px;background:#222}.o{position:absolute;left:8px;top:60px;width:300px;background:linear-gradient(#fff8,#000b);color:#fff}</style><video id=v muted controls></video><div class=o>words over it</div><canvas id=c width=90 height=60 style="padding:9px;background:repeating-linear-gradient(red 0 5px,blue 5px 9px);width:180px;height:80px"></canvas><script>const x=c.getContext('2d');x.fillStyle='#0f08';x.fillRect(0,0,45,60)</script>`,
}

func TestSnapshotHoldsWhatNoMarkupSays(t *testing.T) {
	t.Parallel()
	pages := map[string]any{"/font": served("font/ttf", firstFont(t)), "/one.css": served("text/css", []byte(`.titled{color:blue}`)), "/two.css": served("text/css", []byte(`.titled{color:red}`))}
	for name, body := range statePages {
		pages["/page/"+name] = `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>` + name + `</title></head><body>` + body
	}
	s := site(t, pages)
	for name := range statePages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := capture(t, s.URL+"/page/"+name)
			c.same()
			harmless(t, c.read("snapshot.html"), 0)
		})
	}
}

// harmless reads a snapshot with a parser of its own and looks for anything
// that could act or be fetched.
func harmless(t *testing.T, text string, depth int) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	at, policies := 0, 0
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			at++
			if n.Data == "script" && (n.FirstChild != nil || attr(n, "type") != "text/plain") {
				t.Errorf("a script: %v", n.Attr)
			}
			if n.Data == "meta" {
				switch equiv := strings.ToLower(attr(n, "http-equiv")); {
				case equiv == "content-security-policy":
					policies++
					if at > 4 || attr(n, "content") != policy {
						t.Errorf("a policy of %q as element %d", attr(n, "content"), at)
					}
				case equiv != "" && equiv != "x-dns-prefetch-control" && equiv != "content-language":
					t.Errorf("a meta element acts as %q", equiv)
				}
			}
			for _, a := range n.Attr {
				key, v := strings.ToLower(a.Key), strings.ToLower(strings.TrimSpace(a.Val))
				switch {
				case strings.HasPrefix(key, "on"):
					t.Errorf("a handler %s=%q", key, a.Val)
				case key == "srcdoc":
					if depth < 4 {
						harmless(t, a.Val, depth+1)
					}
				case strings.HasPrefix(v, "data:text/html"):
					_, b, _ := strings.Cut(a.Val, ",")
					inner, err := base64.StdEncoding.DecodeString(b)
					if err != nil || n.Data == "a" {
						t.Errorf("<%s %s> is %q", n.Data, key, a.Val[:min(60, len(a.Val))])
					}
					if depth < 4 {
						harmless(t, string(inner), depth+1)
					}
				case strings.HasPrefix(key, "data-candor-"):
				case key == "href" && (n.Data == "a" || n.Data == "area"):
					if u, err := url.Parse(v); err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" {
						t.Errorf("a link to %q", a.Val)
					}
				case key == "href" || key == "src" || key == "srcset" || key == "data" || key == "poster" || key == "action" || key == "formaction" || key == "background" || key == "codebase":
					if v != "" && !strings.HasPrefix(v, "data:") && !strings.HasPrefix(v, "#") && n.Namespace != "math" {
						t.Errorf("<%s %s=%q> would be fetched", n.Data, key, a.Val)
					}
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(doc)
	if policies != 1 {
		t.Errorf("%d policies in one document", policies)
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if strings.EqualFold(a.Key, name) {
			return a.Val
		}
	}
	return ""
}

func TestNothingOfAPageBreaksOutOfItsSnapshot(t *testing.T) {
	t.Parallel()
	evil := `</style></title></textarea></script></template>--><img src=x onerror=alert(1)><script>alert(1)</script>`
	quoted := fmt.Sprintf("%q", evil)
	quoted = strings.ReplaceAll(quoted, "</script>", `<\/script>`)
	page := `<!DOCTYPE html><html><head><title>E</title></head><body><p id=p>first words</p><template><script>alert(2)</script></template><script>
		const evil = ` + quoted + `, m = (t, text) => { const e = document.createElement(t); e.textContent = text; document.body.append(e); return e; };
		document.title = evil; document.body.dataset.x = 'a>b'; document.body.setAttribute('title', '"><script>alert(1)<\/script>');
		for (const t of ['style', 'title', 'textarea', 'xmp', 'plaintext', 'noscript', 'noembed', 'noframes', 'iframe', 'listing', 'pre', 'option', 'svg', 'math', 'x-y', 'template']) m(t, evil);
		document.body.append(document.createComment(evil), document.createComment('>'), document.createComment('->'), document.createComment(' candor: another page '), document.createComment('--!><img src=x onerror=alert(1)>'), document.createComment('x<!-'));
		const s = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), f = document.createElementNS('http://www.w3.org/2000/svg', 'style'); f.textContent = evil; s.append(f);
		const d = document.createElementNS('http://www.w3.org/2000/svg', 'desc'); d.textContent = evil; s.append(d, document.createElement('div')); document.body.append(s);
		for (const n of ['on"x', 'a"b', "a'b", 'a<b', 'ONCLICK', 'srcdoc', 'data-candor-mark', 'formaction', 'ping']) try { p.setAttribute(n, 'javascript:alert(1)'); } catch {}
		m('style', 'p{background:u\\72l(http://example.org/a.png)}@\\69mport "http://example.org/b.css";[on] a{} [onclick]{color:red} p::before{content:attr(onclick)}');
		p.style.cssText = '--x:url(http://example.org/c.png);background:u\\72l(http://example.org/d.png)';
		const sheet = new CSSStyleSheet(); sheet.replaceSync('p{--y:"' + evil + '"}'); document.adoptedStyleSheets = [sheet];
		m('p', 'x').animate([{'--z</style><script>alert(1)<\/script>': '1', color: 'red'}, {color: 'blue'}], {duration: 1e6, pseudoElement: '::before'});
		const a = document.createElementNS('http://www.w3.org/2000/svg', 'a'); a.setAttributeNS('http://www.w3.org/1999/xlink', 'xlink:href', 'javascript:alert(1)'); s.append(a);
		try { CSS.registerProperty({name: '--q</style><script>alert(1)<\/script>', syntax: '*', inherits: true}); } catch {}
		try { document.fonts.add(new FontFace('F</style><script>alert(1)<\/script>', 'local(x)')); } catch {}
		document.querySelector('title').append(document.createComment(evil)); m('title', 'T').append(document.createComment('</title' + evil));
		const X = 'http://www.w3.org/1999/xhtml', G = 'http://www.w3.org/2000/svg', M = 'http://www.w3.org/1998/Math/MathML', n = (ns, t, ...k) => { const e = document.createElementNS(ns, t); e.append(...k); return e; };
		for (const t of ['LINK', 'SCRIPT', 'IFRAME', 'STYLE', 'SVG', 'PLAINTEXT', 'TITLE', 'META', '_x']) { const e = n(X, t, evil); for (const [k, v] of [['rel', 'stylesheet'], ['href', '/l.css'], ['src', '/s'], ['http-equiv', 'refresh'], ['content', '0;url=http://example.org/']]) e.setAttribute(k, v); document.body.append(e); }
		const raw = () => m('style', 'p{--v:"' + evil + '"}');
		for (const t of ['desc', 'title', 'foreignObject', 'annotation-xml', 'mrow', 'style', 'mi', 'x']) document.body.append(n(M, 'math', n(M, t, raw(), n(M, 'style', evil), n(G, 'svg', n(G, 'title', raw())), n(G, 'title', raw()))));
		document.body.append(n(M, 'math', n(M, 'mi', n(X, 'mglyph', raw()), n(X, 'malignmark', raw()), n(M, 'mglyph', n(M, 'style', evil)))));
		for (const t of ['use', 'img', 'p', 'SCRIPT', 'foreignobject', 'desc', 'STYLE', 'title', 'mi']) { const e = n(G, t, raw(), n(G, 'title', raw()), n(G, 'style', evil)); e.setAttributeNS(null, 'src', '/s'); document.body.append(n(G, 'svg', e)); }
		const loud = n(G, 'rect'); for (const [k, v] of [['ONCLICK', 'alert(1)'], ['HREF', 'javascript:alert(1)'], ['STYLE', 'x'], ['Xlink:Href', 'http://example.org/']]) try { loud.setAttributeNS(null, k, v); } catch {} s.append(loud);
		const sel = document.createElement('select'); sel.append(n(X, 'style', '</select>' + evil)); document.body.append(sel);
		const u = 'url("data:,</style><meta http-equiv=refresh content=0;url=http://example.org/>")'; m('style', 'p{border-image-source:' + u + '}@import ' + u + ';@import "data:text/css,</style><meta http-equiv=refresh>";');
		for (const k of ['password', 'hidden']) { const i = document.createElement('input'); i.type = k; i.setAttribute('value', 'hunter22'); document.body.append(i); } m('style', '[value="x"]{color:red}');
		const beside = document.createElement('div'); beside.title = '" onload=alert(1) x="'; document.documentElement.insertBefore(beside, document.body);
		const b = m('base', ''); b.href = 'javascript:alert(1)'; m('p', 'last words');
		for (const k of ['styleSheets', 'adoptedStyleSheets', 'title', 'body', 'scrollingElement', 'createRange']) { const i = document.createElement('img'); i.name = k; sel.parentNode.append(i); }
		</script></body></html>`
	s := site(t, map[string]any{"/": page, "/quoted": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!DOCTYPE html PUBLIC "a--><script>alert(1)</script>" '"><script>alert(1)</script>'><title>Q</title><p>words`)
	}})
	for path, words := range map[string][]string{"/": {"first words", "last words"}, "/quoted": {"words"}} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			c := capture(t, s.URL+path)
			if _, ok := c.File(candor.Snapshot); !ok {
				t.Fatalf("there is no snapshot: %+v", c.Steps)
			}
			text := c.read("snapshot.html")
			harmless(t, text, 0)
			for _, w := range words {
				if !strings.Contains(text, w) {
					t.Errorf("the snapshot lacks %q", w)
				}
			}
			if strings.Contains(text, "hunter22") {
				t.Error("what a hidden field holds is in the snapshot")
			}
			if strings.Contains(text, `url("http://example.org`) || strings.Contains(text, "u\\72l(http") {
				t.Error("an address is left in a style")
			}
		})
	}
}
