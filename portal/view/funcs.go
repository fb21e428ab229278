package view

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// funcs are what templates may call, bound to one language and zone.
func funcs(lang string, zone *time.Location) template.FuncMap {
	return template.FuncMap{
		// t ID "Name" value …: a sentence of the catalogue.
		"t": func(id string, args ...any) string { return i18n.T(lang, id, args...) },
		// tin LANGUAGE ID …: the same in another language.
		"tin":      func(l, id string, args ...any) string { return i18n.T(l, id, args...) },
		"date":     func(t time.Time) string { return i18n.Date(lang, t, zone) },
		"datetime": func(t time.Time) string { return i18n.DateTime(lang, t, zone) },
		"exact":    func(t time.Time) string { return i18n.Exact(lang, t, zone) },
		"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"day":      func(d candor.Date) string { return i18n.Day(lang, d) },
		"number":   func(n int) string { return i18n.Number(lang, int64(n)) },
		"bytes":    func(n int64) string { return i18n.Bytes(lang, n) },
		"asset":    Asset,
		"icon":     icon,
		"snippet":  snippet,
		"lines":    lines,
		"short":    short,
		"host":     host,
		"wait":     func(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) },
		"span":     func(d time.Duration) string { return i18n.Span(lang, d) },
		"lasting":  func(d time.Duration) string { return i18n.Lasting(lang, d) },
		"dollars":  func(millionths int64) string { return i18n.Dollars(lang, millionths) },
		"dict":     dict,
		"list":     func(items ...any) []any { return items },
		"concat":   func(parts ...any) string { return fmt.Sprint(parts...) },
		"setlang":  setLang,
	}
}

// snippet shows a hit's snippet with the found words marked.
func snippet(s string) template.HTML {
	s = template.HTMLEscapeString(s)
	s = strings.ReplaceAll(s, string(candor.SnippetOpen), "<mark>")
	s = strings.ReplaceAll(s, string(candor.SnippetClose), "</mark>")
	// An index may cut a snippet anywhere; never leave a mark open.
	for range strings.Count(s, "<mark>") - strings.Count(s, "</mark>") {
		s += "</mark>"
	}
	return template.HTML(s)
}

// lines splits text into paragraphs of lines.
func lines(s string) [][]string {
	var out [][]string
	for _, para := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		if para = strings.TrimSpace(para); para != "" {
			out = append(out, strings.Split(para, "\n"))
		}
	}
	return out
}

// short cuts text at a word near n runes.
func short(n int, s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= n {
		return string(r)
	}
	cut := n
	for i := n; i > n*2/3; i-- {
		if r[i] == ' ' {
			cut = i
			break
		}
	}
	return string(r[:cut]) + "…"
}

func host(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "" // shown beside the full address, which says enough
	}
	return u.Hostname()
}

// dict makes a map of alternating names and values, to hand several things to
// a partial.
func dict(args ...any) (map[string]any, error) {
	if len(args)%2 != 0 {
		return nil, fmt.Errorf("dict: odd number of arguments")
	}
	m := make(map[string]any, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		k, ok := args[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is not a name", args[i])
		}
		m[k] = args[i+1]
	}
	return m, nil
}

// setLang is an address with the language asked for in its query.
func setLang(path, lang string) string {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return "/?lang=" + lang // an address we cannot read leads home
	}
	q := u.Query()
	q.Set("lang", lang)
	u.RawQuery = q.Encode()
	return u.RequestURI()
}

// icon draws one of the few pictograms we use; they inherit the text colour.
func icon(name string) (template.HTML, error) {
	d, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("there is no icon %q", name)
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false"><path d="` + d + `"/></svg>`), nil
}
