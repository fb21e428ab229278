package page

import (
	"html"
	"strconv"
	"strings"

	"github.com/candor-archive/candor"
)

const twinName = "twin.html"

// twin writes the page as plain structured HTML, for those who cannot see the
// picture: headings, lists, tables, landmarks, the words of pictures, languages.
// What is not visible but read aloud is there too, marked as such.
//
// Elements are opened when the first words in them come, so nothing empty is
// written, and only where a parser leaves them.
type twin struct {
	b                 strings.Builder
	want              []block  // opened by the page, outermost first
	open              []block  // written and not closed yet
	formats           []format // of the words that come next
	written           []format // of them, those that are open
	spaced            bool
	broken            bool // a new line is due
	main              bool // the page has a main landmark of its own
	links             []string
	linkNo            map[string]int
	own               map[string]string // our words, in the page's language if we have them
	ownLang, pageLang string
}

// kinds of block, by what may stand in them.
type blockKind int

const (
	inFlow  blockKind = iota // blocks; words get a paragraph
	inCell                   // words and blocks: an item, a cell
	inWords                  // words only: a heading, a paragraph
	inList
	inTerms
	inTable
	inRows
	inRow
)

type block struct {
	name, attrs string
	kind        blockKind
	of          int64 // the element, counted over all documents; 0 when nothing asked for it
	done        bool
	filled      bool
}

// format is an inline element.
type format struct {
	open, close string
	of          int64
}

// ours are the words we add.
var ours = map[string]map[string]string{
	"en": {"unseen": "not visible", "picture": "picture", "nameless": "without a description", "video": "video", "audio": "sound", "drawing": "drawing",
		"frame": "embedded page", "on": "selected", "off": "not selected", "links": "Addresses of the links",
		"about": "Text version of the page {page} as it was at {at} UTC. Words in square brackets were added; they name what cannot be shown as text."},
	"es": {"unseen": "no visible", "picture": "imagen", "nameless": "sin descripción", "video": "video", "audio": "sonido", "drawing": "dibujo",
		"frame": "página incrustada", "on": "seleccionado", "off": "no seleccionado", "links": "Direcciones de los enlaces",
		"about": "Versión en texto de la página {page} tal como estaba a las {at} UTC. Las palabras entre corchetes se agregaron; nombran lo que no puede mostrarse como texto."},
}

func (w *twin) start() { w.linkNo = map[string]int{} }

// speak chooses the language of our words once that of the page is known.
func (w *twin) speak(lang string) {
	w.ownLang = "en"
	if w.pageLang, _, _ = strings.Cut(strings.ToLower(lang), "-"); w.pageLang == "es" {
		w.ownLang = "es"
	}
	w.own = ours[w.ownLang]
}

func (w *twin) say(id string) string {
	if w.own == nil {
		w.speak("")
	}
	return w.own[id]
}

// foreign is words of ours inside the page's, told apart when the page is in
// another language.
func (w *twin) foreign(s string) string {
	if w.ownLang == w.pageLang {
		return html.EscapeString(s)
	}
	return `<span lang="` + w.ownLang + `">` + html.EscapeString(s) + "</span>"
}

func (w *twin) space() { w.spaced = true }

// line ends the line inside a block of words.
func (w *twin) line() { w.broken = true }

// begin asks for a block around what comes next.
func (w *twin) begin(b block) {
	w.end()
	w.want = append(w.want, b)
}

// end ends the paragraph: what comes next is another one.
func (w *twin) end() {
	w.broken = true
	if n := len(w.open); n > 0 && w.open[n-1].kind == inWords && w.open[n-1].of == 0 {
		w.pop()
	}
}

// leave closes what was opened for an element.
func (w *twin) leave(of int64) {
	for n := len(w.formats); n > 0 && w.formats[n-1].of == of; n = len(w.formats) {
		w.formats = w.formats[:n-1]
	}
	for n := len(w.want); n > 0 && w.want[n-1].of == of; n = len(w.want) {
		w.want = w.want[:n-1]
		for i := len(w.open) - 1; i >= 0; i-- {
			if w.open[i].of == of {
				for len(w.open) > i {
					w.pop()
				}
				break
			}
		}
		w.broken = true
	}
}

func (w *twin) format(f format) { w.formats = append(w.formats, f) }

// text adds words.
func (w *twin) text(s string, unseen bool) {
	if s == "" {
		return
	}
	was := len(w.formats)
	if unseen {
		w.format(format{`<span class="unseen">` + w.foreign("["+w.say("unseen")+":") + " ", "]</span>", -1})
	}
	w.room()
	keep := 0
	for keep < len(w.written) && keep < len(w.formats) && w.written[keep] == w.formats[keep] {
		keep++
	}
	top := &w.open[len(w.open)-1]
	if w.broken && top.filled {
		keep = 0
	}
	w.plain(keep)
	switch {
	case !top.filled:
	case w.broken:
		w.b.WriteString("<br>\n")
	case w.spaced:
		w.b.WriteByte(' ')
	}
	for _, f := range w.formats[keep:] {
		w.b.WriteString(f.open)
		w.written = append(w.written, f)
	}
	w.b.WriteString(html.EscapeString(s))
	top.filled, w.broken, w.spaced = true, false, false
	w.formats = w.formats[:was]
}

// build opens what the page asks for.
func (w *twin) build() {
	for i := range w.want {
		if !w.want[i].done {
			w.want[i].done = true
			w.push(w.want[i])
		}
	}
}

// room sees to it that words may stand here.
func (w *twin) room() {
	w.build()
	w.fit()
	if len(w.open) == 0 || w.open[len(w.open)-1].kind == inFlow {
		w.put(block{name: "p", kind: inWords})
	}
}

// fit opens what a parser would else put elsewhere: an item in a list, a cell in
// a table.
func (w *twin) fit() {
	if n := len(w.open); n > 0 {
		switch w.open[n-1].kind {
		case inList:
			w.put(block{name: "li", kind: inCell})
		case inTerms:
			w.put(block{name: "dd", kind: inCell})
		case inTable, inRows:
			w.put(block{name: "tr", kind: inRow})
			w.put(block{name: "td", kind: inCell})
		case inRow:
			w.put(block{name: "td", kind: inCell})
		}
	}
}

// push opens a block where it may stand; where it may not it is left out and
// its words stand in what is around it.
func (w *twin) push(b block) {
	w.plain(0)
	// What was put in between only for words ends here, but for the row that
	// cells without one share.
	for n := len(w.open); n > 0 && w.open[n-1].of == 0; n = len(w.open) {
		if w.open[n-1].kind == inRow && (b.name == "td" || b.name == "th") {
			break
		}
		w.pop()
	}
	around := inFlow
	if n := len(w.open); n > 0 {
		around = w.open[n-1].kind
	}
	switch b.name {
	case "li":
		if around != inList {
			return
		}
	case "dt", "dd":
		if around != inTerms {
			return
		}
	case "caption", "thead", "tbody", "tfoot":
		if around != inTable {
			return
		}
	case "tr":
		if around != inTable && around != inRows {
			return
		}
	case "td", "th":
		if around == inTable || around == inRows {
			w.put(block{name: "tr", kind: inRow})
		} else if around != inRow {
			return
		}
	default:
		if around == inWords {
			return
		}
		w.fit()
	}
	w.put(b)
}

func (w *twin) put(b block) {
	w.plain(0)
	w.b.WriteString("<" + b.name + b.attrs + ">")
	b.filled = false
	w.open = append(w.open, b)
	w.broken, w.spaced = false, false
}

func (w *twin) pop() {
	w.plain(0)
	n := len(w.open) - 1
	w.b.WriteString("</" + w.open[n].name + ">\n")
	w.open = w.open[:n]
	if n > 0 && w.open[n-1].kind == inCell {
		w.open[n-1].filled = false // what follows a block stands below it as it is
	}
	w.broken, w.spaced = false, false
}

// plain closes formats until n are open.
func (w *twin) plain(n int) {
	for i := len(w.written) - 1; i >= n; i-- {
		w.b.WriteString(w.written[i].close)
	}
	w.written = w.written[:min(n, len(w.written))]
}

// link is the number of an address in the list at the end.
func (w *twin) link(url string) int {
	n, ok := w.linkNo[url]
	if !ok {
		w.links = append(w.links, url)
		n = len(w.links)
		w.linkNo[url] = n
	}
	return n
}

// twinPolicy lets the file show its words and nothing else.
const twinPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

const twinStyle = `body{font:1.0625rem/1.6 system-ui,sans-serif;max-width:46rem;margin:1.5rem auto;padding:0 1rem;overflow-wrap:anywhere;color:#1b1b1b;background:#fff}` +
	`table{border-collapse:collapse}td,th{border:1px solid #767676;padding:.25rem .5rem;text-align:start;vertical-align:top}` +
	`[role=img],.unseen,.about{color:#4d4d4d}.about,.links{border-block:1px solid #767676}` +
	`@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#15191b}[role=img],.unseen,.about{color:#b5b5b5}a{color:#86c9d6}}`

// page is the whole file.
func (w *twin) page(m *candor.Manifest) []byte {
	w.plain(0)
	for len(w.open) > 0 {
		w.pop()
	}
	var b strings.Builder
	lang := ""
	if m.Language != "" {
		lang = ` lang="` + html.EscapeString(m.Language) + `"`
	}
	title := m.Title
	if title == "" {
		title = m.FinalURL
	}
	b.WriteString("<!doctype html>\n<html" + lang + ">\n<head>\n<meta charset=\"utf-8\">\n" +
		`<meta http-equiv="Content-Security-Policy" content="` + twinPolicy + "\">\n" +
		`<meta name="referrer" content="no-referrer">` + "\n" + `<meta name="viewport" content="width=device-width, initial-scale=1">` +
		"\n<title>" + html.EscapeString(title) + "</title>\n<style>" + twinStyle + "</style>\n</head>\n<body>\n")
	about := strings.NewReplacer("{page}", html.EscapeString(m.FinalURL), "{at}", m.Settled.UTC().Format("2006-01-02 15:04:05"))
	b.WriteString(`<div class="about" role="note">`)
	for _, l := range []string{"en", "es"} {
		words := about.Replace(html.EscapeString(ours[l]["about"]))
		b.WriteString(`<p lang="` + l + `">` + words + "</p>\n")
	}
	b.WriteString("</div>\n")
	around := "main"
	if w.main {
		around = "div"
	}
	b.WriteString("<" + around + ">\n" + w.b.String() + "</" + around + ">\n")
	if len(w.links) > 0 {
		w.speak(m.Language)
		b.WriteString(`<section class="links" lang="` + w.ownLang + `" aria-labelledby="links"><h2 id="links">` + html.EscapeString(w.say("links")) + "</h2>\n<ol>\n")
		for i, l := range w.links {
			b.WriteString(`<li id="link-` + strconv.Itoa(i+1) + `">` + html.EscapeString(l) + "</li>\n")
		}
		b.WriteString("</ol>\n</section>\n")
	}
	b.WriteString("</body>\n</html>\n")
	return []byte(b.String())
}
