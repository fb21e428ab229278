package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/platformtest"
	"github.com/candor-archive/candor/crawler/transport"
)

const token = "EAAGsecret0of0the0test"

// scene is a client and an API that answers as the test says.
type scene struct {
	*Client
	asked   []string // path and query of each call
	visit   *transport.Visit
	objects platformtest.Objects
	err     error // of the last listing
}

func start(t *testing.T, cfg Config, answer func(q url.Values, w http.ResponseWriter)) *scene {
	s := &scene{objects: platformtest.Objects{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.URL.RequestURI())
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("%s came without the token", r.URL)
		}
		answer(r.URL.Query(), w)
	}))
	t.Cleanup(srv.Close)
	client := transport.New(transport.Config{HTTP: srv.Client(), PerHost: rate.Inf, Sleep: func(context.Context, time.Duration) error { return nil }})
	s.visit = client.Visit("source", token)
	cfg.Visit, cfg.Objects, cfg.Base, cfg.Own, cfg.Version, cfg.Token = s.visit, s.objects, srv.URL, "https://own.example", "v26.0", token
	var err error
	if s.Client, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

// list reads a listing and gives the ids in it.
func (s *scene) list(q url.Values) (ids string, complete bool, refused *connector.Error) {
	complete, s.err = s.List(context.Background(), "1/things", q, func(entry json.RawMessage, _ *transport.Reply) bool {
		var r Ref
		if json.Unmarshal(entry, &r) != nil || r.ID == "" {
			return false
		}
		ids += string(r.ID)
		return true
	})
	errors.As(s.err, &refused)
	return ids, complete, refused
}

func TestAListingIsFollowedByItsCursorsOnly(t *testing.T) {
	s := start(t, Config{Limit: 2}, func(q url.Values, w http.ResponseWriter) {
		switch q.Get("after") + q.Get("until") {
		case "":
			fmt.Fprintf(w, `{"data":[{"id":"1"},{"id":"2"}],"paging":{"cursors":{"after":"c2"},"next":"https://elsewhere.example/steal?access_token=%s&after=other"}}`, token)
		case "c2":
			// Without a cursor, the next address is taken apart.
			fmt.Fprint(w, `{"data":[],"paging":{"next":"https://elsewhere.example/v1/2/secrets?fields=x&until=7&__paging_token=p&limit=9"}}`)
		case "7":
			fmt.Fprint(w, `{"data":[{"id":3}],"paging":{"cursors":{"after":"c3"}}}`)
		}
	})
	ids, complete, _ := s.list(url.Values{"fields": {"id"}})
	if ids != "123" || !complete || s.err != nil {
		t.Errorf("read %q, complete %v, %v", ids, complete, s.err)
	}
	for _, call := range s.asked {
		if !strings.HasPrefix(call, "/v26.0/1/things?") || !strings.Contains(call, "fields=id") || !strings.Contains(call, "limit=2") || strings.Contains(call, token) {
			t.Errorf("asked for %s", call)
		}
	}
	for _, b := range s.objects {
		if strings.Contains(string(b), token) {
			t.Errorf("the token is kept: %s", b)
		}
	}
	for _, a := range s.visit.Answers() {
		if strings.Contains(a.URL+a.Header, token) || s.objects[a.SHA] == nil {
			t.Errorf("answer %+v", a)
		}
	}
}

func TestAListingThatIsNotReadToItsEndIsNotComplete(t *testing.T) {
	for what, body := range map[string]string{
		"a repeated cursor":      `{"data":[{"id":"1"}],"paging":{"cursors":{"after":"same"},"next":"https://x.example/"}}`,
		"more but no cursor":     `{"data":[{"id":"1"}],"paging":{"next":"https://x.example/"}}`,
		"an odd entry":           `{"data":[{"id":"1"},{"name":"no id"},null]}`,
		"cut midway":             `{"data":[{"id":"1"}`,
		"no listing":             `{"success":true}`,
		"an error beside data":   `{"data":[{"id":"1"}],"error":{"code":2,"message":"later"}}`,
		"a gateway, politely":    `<html><body>Please wait</body></html>`,
		"nothing where data was": `{"data":null}`,
	} {
		s := start(t, Config{}, func(_ url.Values, w http.ResponseWriter) { fmt.Fprint(w, body) })
		if _, complete, refused := s.list(nil); complete || refused == nil && what != "an odd entry" {
			t.Errorf("%s: complete %v, %v", what, complete, s.err)
		} else if refused != nil && refused.AnswerSHA == "" {
			t.Errorf("%s: the answer that says so is not named", what)
		}
		if len(s.asked) > 3 {
			t.Errorf("%s: asked %d times", what, len(s.asked))
		}
	}
	n := 0
	s := start(t, Config{Pages: 3}, func(_ url.Values, w http.ResponseWriter) {
		n++
		fmt.Fprintf(w, `{"data":[{"id":"%d"}],"paging":{"cursors":{"after":"c%d"},"next":"https://x.example/"}}`, n, n)
	})
	if ids, complete, _ := s.list(nil); ids != "123" || complete || s.err != nil {
		t.Errorf("longer than a poll reads: %q, complete %v, %v", ids, complete, s.err)
	}
}

func TestRefusalsHaveTheirClasses(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   connector.Class
	}{
		{400, `{"error":{"code":190,"error_subcode":463,"message":"expired"}}`, connector.BadToken},
		{400, `{"error":{"code":100,"error_subcode":33}}`, connector.Vanished},
		{403, `{"error":{"code":10}}`, connector.Permission},
		{502, `<html>Bad gateway</html>`, connector.Transient},
		{200, `<html>Please wait</html>`, connector.Transient},
		{404, `<html>Not found</html>`, connector.Refused},
	} {
		s := start(t, Config{}, func(_ url.Values, w http.ResponseWriter) { w.WriteHeader(c.status); fmt.Fprint(w, c.body) })
		if _, _, refused := s.list(nil); refused == nil || refused.Class != c.want || refused.Status != c.status {
			t.Errorf("%d %s: %+v", c.status, c.body, refused)
		}
	}
}

func TestNoCallIsMadeWhileThrottled(t *testing.T) {
	s := start(t, Config{}, func(_ url.Values, w http.ResponseWriter) {
		w.Header().Set("X-Business-Use-Case-Usage", `{"1":[{"type":"instagram","call_count":104,"estimated_time_to_regain_access":7}]}`)
		w.WriteHeader(403)
		fmt.Fprint(w, `{"error":{"code":80002,"message":"too many calls"}}`)
	})
	for range 2 {
		if _, _, refused := s.list(nil); refused == nil || refused.Class != connector.Throttled || refused.After != 7*time.Minute {
			t.Errorf("%+v", refused)
		}
	}
	if len(s.asked) != 1 || s.Used() != 104 {
		t.Errorf("asked %d times, used %d", len(s.asked), s.Used())
	}
}

func TestOptionalFieldsAreLeftOutWhereTheAPIHasNone(t *testing.T) {
	s := start(t, Config{Optional: []string{"alt_text"}}, func(q url.Values, w http.ResponseWriter) {
		for _, name := range []string{"alt_text", "hidden"} {
			if strings.Contains(q.Get("fields"), name) {
				w.WriteHeader(400)
				fmt.Fprintf(w, `{"error":{"code":100,"message":"(#100) Tried accessing nonexisting field (%s) on node type (Media)"}}`, name)
				return
			}
		}
		fmt.Fprint(w, `{"data":[{"id":"1"}]}`)
	})
	for range 2 {
		if ids, complete, _ := s.list(url.Values{"fields": {"id,alt_text,children{id,alt_text}"}}); ids != "1" || !complete {
			t.Errorf("%q, complete %v, %v", ids, complete, s.err)
		}
	}
	if len(s.asked) != 3 {
		t.Errorf("asked %q", s.asked)
	}
	// What says who may see a thing is not optional.
	if _, _, refused := s.list(url.Values{"fields": {"id,hidden"}}); !NotOffered(refused) {
		t.Errorf("%+v", refused)
	}
}

func TestPagesGetSmallerWhenTheAPIAsksForIt(t *testing.T) {
	s := start(t, Config{}, func(q url.Values, w http.ResponseWriter) {
		if q.Get("limit") != "25" {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":{"code":1,"message":"Please reduce the amount of data you're asking for, then retry your request"}}`)
			return
		}
		fmt.Fprint(w, `{"data":[{"id":"1"}]}`)
	})
	if ids, complete, _ := s.list(nil); ids != "1" || !complete {
		t.Errorf("%q, complete %v, %v", ids, complete, s.err)
	}
}

func TestCursorsAreFollowedWithoutANextPageWhereThatIsTheCustom(t *testing.T) {
	pages := map[string]string{
		"":   `{"data":[{"id":"1"}],"paging":{"cursors":{"before":"b","after":"c1"}}}`,
		"c1": `{"data":[{"id":"2"}],"paging":{"cursors":{"before":"b","after":"c2"}}}`,
		"c2": `{"data":[]}`,
	}
	answer := func(q url.Values, w http.ResponseWriter) { fmt.Fprint(w, pages[q.Get("after")]) }
	s := start(t, Config{Cursors: true}, answer)
	if ids, complete, _ := s.list(nil); ids != "12" || !complete {
		t.Errorf("%q, complete %v, %v", ids, complete, s.err)
	}
	s = start(t, Config{}, answer)
	if ids, complete, _ := s.list(nil); ids != "1" || !complete {
		t.Errorf("%q, complete %v, %v", ids, complete, s.err)
	}
}
