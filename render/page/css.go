package page

import (
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// cssRewriter says what becomes of a style sheet's addresses and selectors.
type cssRewriter struct {
	// resource gives what is written for an address: url(), or var() where a
	// property's value may be one.
	resource func(url string, mayShare bool) string
	sheet    func(url string) string // the address of an imported sheet
	marked   map[string]bool         // states that elements were in; nil for all
	asked    map[string]bool         // attributes whose values as they were are kept beside
}

// rewrite replaces every address in a style sheet, or in a list of
// declarations, and turns selectors for states that a file cannot have into
// selectors for the marks that the serialiser left. All else stays as it was
// written.
func (r cssRewriter) rewrite(text, base string) string {
	if strings.Contains(text, "scripting") {
		text = scriptingOn.ReplaceAllString(scriptingOff.ReplaceAllString(text, "(max-width:0px)"), "(min-width:0px)")
	}
	if strings.Contains(text, "\x00") {
		text = strings.ReplaceAll(text, "\x00", "\ufffd") // as the browser reads it; NUL marks parts
	}
	c := cssScanner{in: text, base: base, r: r}
	c.out.Grow(len(text) + len(text)/16)
	c.run()
	return c.out.String()
}

var (
	scriptingOn  = regexp.MustCompile(`(?i)\(\s*scripting\s*(:\s*enabled\s*)?\)`)
	scriptingOff = regexp.MustCompile(`(?i)\(\s*scripting\s*:\s*(none|initial-only)\s*\)`)
)

type cssScanner struct {
	in     string
	out    strings.Builder
	base   string
	r      cssRewriter
	i      int
	parens []bool // open parentheses; true where bare strings are addresses
	braces []bool // open blocks; true where var() has no meaning
	direct bool   // the block that opens next is such a one

	ends  int  // where the rule or declaration that was looked at last ends
	opens bool // with a block
}

// states are the pseudo-classes that need a script or a visitor to come true.
var states = map[string]string{
	"focus": `:is(:focus,[data-candor-mark~="focus"])`, "focus-visible": `[data-candor-mark~="focus-visible"]`,
	"focus-within": `[data-candor-mark~="focus-within"]`, "popover-open": `[data-candor-mark~="popover-open"]`,
	"modal": `[data-candor-mark~="modal"]`, "target": `[data-candor-mark~="target"]`, "fullscreen": `[data-candor-mark~="fullscreen"]`,
	"user-valid": `[data-candor-mark~="user-valid"]`, "user-invalid": `[data-candor-mark~="user-invalid"]`,
	"hover": `:is(:hover,[data-candor-mark~="hover"])`, "active": `:is(:active,[data-candor-mark~="active"])`,
	"indeterminate": `:is(:indeterminate,[data-candor-mark~="indeterminate"])`,
	"valid":         `:is(:valid:where(:not([data-candor-mark~="invalid"])),[data-candor-mark~="valid"])`,
	"invalid":       `:is(:invalid:where(:not([data-candor-mark~="valid"])),[data-candor-mark~="invalid"])`,
	"defined":       `:not([data-candor-mark~="undefined"])`,
}

func (c *cssScanner) run() {
	for c.i < len(c.in) {
		b := c.in[c.i]
		switch {
		case b == '/' && strings.HasPrefix(c.in[c.i:], "/*"):
			c.copy(c.comment())
		case b == '"' || b == '\'':
			raw, s := c.str()
			if len(c.parens) > 0 && c.parens[len(c.parens)-1] {
				c.link(s)
			} else {
				c.out.WriteString(raw)
			}
		case b == '(':
			c.parens = append(c.parens, false)
			c.copy(1)
		case b == ')':
			if n := len(c.parens); n > 0 {
				c.parens = c.parens[:n-1]
			}
			c.copy(1)
		case b == '[':
			c.copy(1)
			c.attribute(true)
		case b == '{':
			c.braces = append(c.braces, c.direct || len(c.braces) > 0 && c.braces[len(c.braces)-1])
			c.direct = false
			c.copy(1)
		case b == '}':
			if n := len(c.braces); n > 0 {
				c.braces = c.braces[:n-1]
			}
			c.copy(1)
		case b == '@':
			c.at()
		case b == ':':
			c.colon()
		case identStart(b), b == '\\':
			c.ident()
		default:
			c.copy(1)
		}
	}
}

func (c *cssScanner) copy(n int) {
	c.out.WriteString(c.in[c.i : c.i+n])
	c.i += n
}

func (c *cssScanner) comment() int {
	if end := strings.Index(c.in[c.i+2:], "*/"); end >= 0 {
		return end + 4
	}
	return len(c.in) - c.i
}

// str reads the string at the cursor: as written, and what it means.
func (c *cssScanner) str() (raw, value string) {
	quote, start := c.in[c.i], c.i
	c.i++
	for c.i < len(c.in) {
		switch c.in[c.i] {
		case '\\':
			c.i++
		case quote:
			c.i++
			return c.in[start:c.i], unescapeCSS(c.in[start+1 : c.i-1])
		case '\n':
			return c.in[start:c.i], unescapeCSS(c.in[start+1 : c.i]) // a bad string ends with its line
		}
		c.i++
	}
	c.i = min(c.i, len(c.in))
	return c.in[start:c.i], unescapeCSS(c.in[start+1 : c.i])
}

func identStart(b byte) bool {
	return b == '-' || b == '_' || b >= 0x80 || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// name is the name at the cursor, as written.
func (c *cssScanner) name() string {
	end := c.i
	for end < len(c.in) {
		switch b := c.in[end]; {
		case identStart(b) || b >= '0' && b <= '9':
			end++
		case b == '\\' && end+1 < len(c.in) && c.in[end+1] != '\n':
			end++
			digits := 0
			for digits < 6 && end < len(c.in) && strings.IndexByte("0123456789abcdefABCDEF", c.in[end]) >= 0 {
				digits++
				end++
			}
			if digits == 0 {
				end++
			} else if end < len(c.in) && (c.in[end] == ' ' || c.in[end] == '\t' || c.in[end] == '\n') {
				end++ // it belongs to the escape
			}
		default:
			return c.in[c.i:end]
		}
	}
	return c.in[c.i:]
}

// meant is a name as it is compared.
func meant(name string) string { return strings.ToLower(unescapeCSS(name)) }

func (c *cssScanner) ident() {
	name := c.name()
	if name == "" { // a backslash before the end of a line
		c.copy(1)
		return
	}
	if c.i+len(name) >= len(c.in) || c.in[c.i+len(name)] != '(' {
		c.copy(len(name))
		return
	}
	switch meant(name) {
	case "url", "src":
		if u, ok := c.function(len(name) + 1); ok {
			c.link(u)
			return
		}
	case "attr":
		c.parens = append(c.parens, false)
		c.copy(len(name) + 1)
		c.attribute(false)
		return
	case "image-set", "-webkit-image-set":
		c.parens = append(c.parens, true)
		c.copy(len(name) + 1)
		return
	}
	c.copy(len(name))
}

// function reads the address inside url( and moves behind it.
func (c *cssScanner) function(skip int) (string, bool) {
	start := c.i
	c.i += skip
	c.space()
	if c.i < len(c.in) && (c.in[c.i] == '"' || c.in[c.i] == '\'') {
		_, v := c.str()
		c.space()
		if c.i < len(c.in) && c.in[c.i] == ')' {
			c.i++
			return v, true
		}
		c.i = start
		return "", false
	}
	from := c.i
	for c.i < len(c.in) && c.in[c.i] != ')' {
		if c.in[c.i] == '\\' {
			c.i++
		}
		c.i++
	}
	if c.i >= len(c.in) {
		c.i = start
		return "", false
	}
	v := strings.TrimSpace(unescapeCSS(c.in[from:c.i]))
	c.i++
	return v, true
}

func (c *cssScanner) space() {
	for c.i < len(c.in) {
		switch c.in[c.i] {
		case ' ', '\t', '\n', '\r', '\f':
			c.i++
		case '/':
			if !strings.HasPrefix(c.in[c.i:], "/*") {
				return
			}
			c.i += c.comment()
		default:
			return
		}
	}
}

// link writes an address as one that needs no network.
func (c *cssScanner) link(u string) {
	if u == "" || strings.HasPrefix(u, "#") {
		c.out.WriteString(`url("` + escapeString(u) + `")`)
		return
	}
	mayShare := true
	if n := len(c.braces); n > 0 {
		mayShare = !c.braces[n-1]
	}
	c.out.WriteString(c.r.resource(resolve(c.base, u), mayShare))
}

func (c *cssScanner) at() {
	c.i++
	raw := c.name()
	name := meant(raw)
	rest := c.i + len(raw)
	switch name {
	case "import":
		start := c.i
		c.i = rest
		c.space()
		var u string
		ok := false
		if c.i < len(c.in) && (c.in[c.i] == '"' || c.in[c.i] == '\'') {
			_, u = c.str()
			ok = true
		} else if strings.EqualFold(c.name(), "url") {
			u, ok = c.function(len("url("))
		}
		if ok {
			c.out.WriteString(`@import url("` + escapeString(c.r.sheet(resolve(c.base, u))) + `")`)
			return
		}
		c.i = start
	case "charset": // the file is UTF-8
		if end := strings.IndexByte(c.in[c.i:], ';'); end >= 0 {
			c.i += end + 1
			return
		}
	case "font-face", "property", "counter-style", "font-palette-values", "color-profile":
		c.direct = true
	case "namespace": // an address that names and is never fetched
		if end := strings.IndexByte(c.in[c.i:], ';'); end >= 0 {
			c.out.WriteByte('@')
			c.copy(end + 1)
			return
		}
	}
	c.out.WriteByte('@')
	c.copy(len(raw))
}

func (c *cssScanner) colon() {
	c.i++
	name := strings.ToLower(c.name())
	if c.i >= 2 && c.in[c.i-2] == ':' {
		c.out.WriteByte(':')
		return // the name is copied as any other
	}
	if name == "state" && strings.HasPrefix(c.in[c.i+len(name):], "(") {
		if end := strings.IndexByte(c.in[c.i:], ')'); end >= 0 {
			if ident := strings.TrimSpace(c.in[c.i+len("state(") : c.i+end]); plainIdent.MatchString(ident) {
				c.out.WriteString(`[data-candor-mark~="state-` + ident + `"]`)
				c.i += end + 1
				return
			}
		}
	}
	repl, ok := states[name]
	if !ok || name != "defined" && c.r.marked != nil && !c.r.marked[name] || !c.selector(c.i+len(name)) {
		c.out.WriteByte(':')
		return
	}
	c.out.WriteString(repl)
	c.i += len(name)
}

var plainIdent = regexp.MustCompile(`^[\w-]+$`)

// attribute turns to what an attribute was, where the file has another value.
func (c *cssScanner) attribute(selector bool) {
	if len(c.r.asked) == 0 {
		return
	}
	for c.i < len(c.in) && (c.in[c.i] == ' ' || c.in[c.i] == '\n' || c.in[c.i] == '\t') {
		c.copy(1)
	}
	name := c.name()
	lower := strings.ToLower(name)
	if (c.r.asked[lower] || c.r.asked["on"] && strings.HasPrefix(lower, "on")) && (!selector || c.selector(c.i+len(name))) {
		c.out.WriteString("data-candor-was-")
	}
	c.copy(len(name))
}

// selector reports whether what is at i belongs to a selector: a block comes
// before the declaration would end.
func (c *cssScanner) selector(i int) bool {
	if i > c.ends || c.ends == 0 { // looked for once for each, or long lists would take forever
		c.ends, c.opens = len(c.in), false
		if n := strings.IndexAny(c.in[min(i, len(c.in)):], "{};"); n >= 0 {
			c.ends = i + n
			c.opens = c.in[c.ends] == '{'
		}
	}
	return c.opens
}

// unescapeCSS resolves backslashes.
func unescapeCSS(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		end := i
		for end < len(s) && end < i+6 && strings.IndexByte("0123456789abcdefABCDEF", s[end]) >= 0 {
			end++
		}
		switch {
		case end > i:
			n, err := strconv.ParseUint(s[i:end], 16, 32)
			if err == nil {
				b.WriteRune(rune(n))
			}
			if end < len(s) && (s[end] == ' ' || s[end] == '\n' || s[end] == '\t') {
				end++
			}
			i = end - 1
		case s[i] == '\n': // a line that goes on
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// escapeString makes words fit into a string of CSS, wherever that is written:
// no "<" is left, which might end the element around it.
func escapeString(s string) string {
	return stringEscapes.Replace(s)
}

// resolve makes an address absolute; what cannot be is left as it is.
func resolve(base, ref string) string {
	b, err := url.Parse(base)
	if err != nil {
		return ref
	}
	u, err := b.Parse(strings.TrimSpace(ref))
	if err != nil {
		return ref
	}
	return u.String()
}

// escapeCSS makes CSS fit where it is written.
func escapeCSS(s, where string) string {
	switch where {
	case "attr":
		return attributeEscapes.Replace(s)
	case "text":
		return html.EscapeString(s)
	}
	if where == "bare" {
		return strings.ReplaceAll(s, "<", `\3c `)
	}
	if !strings.Contains(s, "</") {
		return s
	}
	return endOfStyle.ReplaceAllString(s, `<\/$1`)
}

var (
	endOfStyle       = regexp.MustCompile(`(?i)</(style)`)
	stringEscapes    = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "<", `\3c `, "\n", `\a `, "\r", `\d `, "\f", `\c `)
	attributeEscapes = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", "\r", "&#13;")
)
