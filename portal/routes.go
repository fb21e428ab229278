package portal

import (
	"net/http"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/portal/exhibit"
	"github.com/candor-archive/candor/portal/public"
	"github.com/candor-archive/candor/portal/staff"
	"github.com/candor-archive/candor/portal/view"
)

// routes lists every address of the portal.
func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	minter := exhibit.Minter{Secret: s.Secret, Origin: s.ExhibitURL, Now: s.Now}
	pub := public.New(public.Config{Archive: s.Public, Store: s.Store, Desk: s.Desk, Sessions: s.Sessions, Exhibits: minter,
		BaseURL: s.BaseURL, Secret: s.Secret, Now: s.Now, Log: s.Log})

	for pattern, h := range map[string]handler{
		"GET /{$}": pub.Home,

		"GET /archive/{record}/captures/{capture}/{file}":             pub.Artefact,
		"GET /archive/{record}/captures/{capture}/{rendition}/{file}": pub.Artefact,
		"GET /archive/{record}/captures/{capture}/snapshot":           pub.Snapshot,

		"GET /requests/new":      pub.Ask,
		"GET /requests/sent":     pub.Sent,
		"GET /requests/{number}": pub.Request,

		"GET /r/{secret}":                      pub.OpenLink,
		"GET /my-request":                      pub.MyRequest,
		"GET /my-request/dates":                pub.Dates,
		"GET /my-request/withdraw":             pub.AskWithdraw,
		"POST /my-request/withdraw":            pub.Withdraw,
		"GET /my-request/files/{item}":         pub.ReleasedFile,
		"GET /my-request/bundles/{production}": pub.Bundle,
		"GET /track":                           pub.Track,

		"GET /coverage":                 pub.Coverages,
		"GET /verify":                   pub.Verify,
		"GET /checkpoint":               pub.Checkpoint,
		"GET /about":                    pub.About,
		"GET /accessibility":            pub.Accessibility,
		"GET /security":                 pub.Security,
		"GET /.well-known/security.txt": pub.SecurityText,

		"/": s.nowhere,
	} {
		mux.Handle(pattern, s.page(h))
	}

	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, r *http.Request) {
		plain(w, http.StatusOK, "User-agent: *\nDisallow: /r/\nDisallow: /my-request\nDisallow: /requests/new\nDisallow: /requests/sent\nDisallow: /staff\n")
	})

	// Work that costs, and acts of people without an account.
	mux.Handle("GET /coverage/{source}", s.limited(s.search, s.page(pub.Coverage)))
	mux.Handle("GET /archive", s.limited(s.search, s.page(pub.Search)))
	mux.Handle("GET /archive/{record}", s.limitedFind(s.page(pub.Record)))
	mux.Handle("GET /archive/{record}/captures/{capture}", s.limitedFind(s.page(pub.Capture)))
	mux.Handle("POST /requests/new", s.limited(s.filing, s.page(pub.SubmitAsk)))
	mux.Handle("POST /my-request/messages", s.limited(s.filing, s.page(pub.Say)))
	mux.Handle("POST /track", s.limited(s.links, s.page(pub.SendLink)))
	mux.Handle("POST /verify", s.limited(s.search, s.page(pub.CheckFile)))

	for _, route := range staff.New(staff.Config{Store: s.Store, Desk: s.Desk, Sessions: s.Sessions, Setup: s.Setup, Law: s.Law,
		Exhibits: minter, From: s.address, Access: s.Access, Now: s.Now, Log: s.Log}).Routes() {
		mux.Handle(route.Pattern, s.page(handler(route.Handler)))
	}

	mux.Handle("GET "+view.StaticPrefix, view.Static())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { plain(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	return mux
}

// ready says whether the store answers.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.Store.Ready(r.Context()); err != nil {
		s.Log.Warn("not ready", "err", err)
		plain(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	plain(w, http.StatusOK, "ready\n")
}

// nowhere is every address that is not listed above.
func (s *server) nowhere(w http.ResponseWriter, r *http.Request) error {
	return candor.Errorf(candor.NotFound, "there is no page %s", r.URL.Path)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write([]byte(text)) // the reader may have gone
}
