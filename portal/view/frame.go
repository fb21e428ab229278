package view

import (
	"context"
	"net/http"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/i18n"
)

// Frame is what the middleware knows about every request, and every page
// shows or obeys.
type Frame struct {
	Lang      string
	Zone      *time.Location // of the agency
	Agency    candor.Agency  // zero before set-up
	Principal candor.Principal
	Sample    bool // a demonstration with invented data
	RequestID string
}

type frameKey struct{}

// WithFrame puts the frame into a context.
func WithFrame(ctx context.Context, f Frame) context.Context {
	return context.WithValue(ctx, frameKey{}, f)
}

// FrameOf gives the frame of a context; a plain English one when there is none.
func FrameOf(ctx context.Context) Frame {
	if f, ok := ctx.Value(frameKey{}).(Frame); ok {
		return f
	}
	return Frame{Lang: i18n.Languages[0], Zone: time.UTC, Principal: candor.Principal{Kind: candor.Visitor}}
}

// Page is what every page has. Page structs embed it by value.
type Page struct {
	Frame
	Title      string // already in the reader's language
	Path       string // address with query, for the language switch
	Section    string // the navigation entry to mark: archive, ask, track, verify; staff ones in staff pages
	Area       string // "" public, "staff", "plain" without navigation
	Flash      *Flash
	SwitchForm string // id of the form that the language switch sends, so that what was typed is kept
	NoIndex    bool   // keep search engines away
	Wide       bool   // use the whole width
}

// Base gives the common part of any page that embeds Page.
func (p Page) Base() Page { return p }

// T is the sentence of an id in the page's language.
func (p Page) T(id string, args ...any) string { return i18n.T(p.Lang, id, args...) }

// For starts a page for a request. title is a message id; args are its fields.
func For(r *http.Request, title string, args ...any) Page {
	f := FrameOf(r.Context())
	return Page{
		Frame: f,
		Title: i18n.T(f.Lang, title, args...),
		Path:  r.URL.RequestURI(),
		Flash: readFlash(r),
	}
}

// OtherLanguages lists the languages a reader can switch to.
func (p Page) OtherLanguages() []string {
	var out []string
	for _, l := range i18n.Languages {
		if l != p.Lang {
			out = append(out, l)
		}
	}
	return out
}
