// Package view turns typed page data into HTML: templates and static files,
// embedded, and the functions templates may call.
//
// A page is a struct that embeds Page and a template of its own under
// templates/; staff pages live in templates/staff/. Every page template defines
// "main" and is shown inside layout.html. A page is rendered into memory first,
// so that a fault in a template never sends half a page. No template holds a
// sentence: they all come from the catalogues of package i18n through the function t.
package view

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed templates
var templateFiles embed.FS

type pager interface{ Base() Page }

// sets holds the parsed pages by language and zone: both are bound into the
// functions that templates call, so that no template can forget them.
var sets sync.Map // key string -> map[string]*template.Template

// Names lists the names of all page templates.
func Names() []string {
	var names []string
	for _, dir := range []string{"templates", "templates/staff"} {
		list, err := fs.ReadDir(templateFiles, dir)
		if err != nil {
			continue // no staff pages in this build
		}
		for _, f := range list {
			if f.IsDir() || path.Ext(f.Name()) != ".html" || f.Name() == "layout.html" {
				continue
			}
			name := strings.TrimSuffix(f.Name(), ".html")
			if dir != "templates" {
				name = "staff/" + name
			}
			names = append(names, name)
		}
	}
	return names
}

func load(lang string, zone *time.Location) (map[string]*template.Template, error) {
	if zone == nil {
		zone = time.UTC
	}
	key := lang + "|" + zone.String()
	if s, ok := sets.Load(key); ok {
		return s.(map[string]*template.Template), nil
	}
	base, err := template.New("layout.html").Funcs(funcs(lang, zone)).
		ParseFS(templateFiles, "templates/layout.html", "templates/partials/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse layout: %w", err)
	}
	set := map[string]*template.Template{}
	for _, name := range Names() {
		t, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("clone layout: %w", err)
		}
		if set[name], err = t.ParseFS(templateFiles, "templates/"+name+".html"); err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
	}
	sets.Store(key, set)
	return set, nil
}

// Bytes renders a page into memory.
func Bytes(name string, data any) ([]byte, error) {
	p, ok := data.(pager)
	if !ok {
		return nil, fmt.Errorf("page %s: %T does not embed view.Page", name, data)
	}
	base := p.Base()
	set, err := load(base.Lang, base.Zone)
	if err != nil {
		return nil, err
	}
	t, ok := set[name]
	if !ok {
		return nil, fmt.Errorf("there is no page %q", name)
	}
	var buf bytes.Buffer
	if err := t.ExecuteTemplate(&buf, "layout.html", data); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return buf.Bytes(), nil
}

// Render sends a page. data is a struct that embeds Page. The error is nil
// once the page is rendered; a reader who went away is not an error.
func Render(w http.ResponseWriter, r *http.Request, status int, name string, data any) error {
	b, err := Bytes(name, data)
	if err != nil {
		return err
	}
	if data.(pager).Base().Flash != nil {
		clearFlash(w)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", data.(pager).Base().Lang)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	h.Add("Vary", "Cookie, Accept-Language")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b) // the reader may have gone
	}
	return nil
}
