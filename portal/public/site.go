package public

import (
	"fmt"
	"net/http"
	"time"

	"github.com/candor-archive/candor/portal/view"
)

func (s *Pages) text(w http.ResponseWriter, r *http.Request, name string, sections map[string]int, order ...string) error {
	page := view.TextPage{Page: view.For(r, name+".title"), Contact: view.FrameOf(r.Context()).Agency.Email}
	for _, id := range order {
		sec := view.Section{Heading: name + "." + id + ".title"}
		for n := 1; n <= sections[id]; n++ {
			sec.Paras = append(sec.Paras, fmt.Sprintf("%s.%s.%d", name, id, n))
		}
		page.Sections = append(page.Sections, sec)
	}
	return view.Render(w, r, http.StatusOK, "text", page)
}

// About says who is behind this and how it works.
func (s *Pages) About(w http.ResponseWriter, r *http.Request) error {
	return s.text(w, r, "about", map[string]int{"what": 2, "how": 3, "limits": 3, "asking": 2, "privacy": 2}, "what", "how", "limits", "asking", "privacy")
}

// Accessibility says what readers can count on and where to complain.
func (s *Pages) Accessibility(w http.ResponseWriter, r *http.Request) error {
	return s.text(w, r, "accessibility", map[string]int{"aim": 2, "pictures": 1, "known": 2, "help": 1}, "aim", "pictures", "known", "help")
}

// Security says how to report a weakness.
func (s *Pages) Security(w http.ResponseWriter, r *http.Request) error {
	return s.text(w, r, "security", map[string]int{"report": 2, "promise": 1, "measures": 3}, "report", "promise", "measures")
}

// SecurityText is the machine-readable form of Security (RFC 9116).
func (s *Pages) SecurityText(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	contact := s.BaseURL + "/security"
	if email := view.FrameOf(r.Context()).Agency.Email; email != "" {
		contact = "mailto:" + email
	}
	_, err := fmt.Fprintf(w, "Contact: %s\nPolicy: %s/security\nPreferred-Languages: en, es\nCanonical: %s/.well-known/security.txt\nExpires: %s\n",
		contact, s.BaseURL, s.BaseURL, s.Now().AddDate(0, 6, 0).UTC().Format(time.RFC3339))
	return err
}

// Checkpoint is the newest signed checkpoint of the evidence log, as a note.
func (s *Pages) Checkpoint(w http.ResponseWriter, r *http.Request) error {
	note, err := s.Store.Checkpoint(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, err = w.Write(note)
	return err
}
