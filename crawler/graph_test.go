package crawler

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const graphToken = "EAAGpage0token0of0the0test"

// graph is a Graph API whose contents and faults a test decides.
type graph struct {
	*httptest.Server
	mu       sync.Mutex
	posts    []*thing
	comments []*thing
	limit    int // entries on one page of a listing
	likes    int // changes every answer, and no content
	calls    []string
	fault    func(path string) (status int, body string) // 0: none
	header   http.Header
	media    int // times a picture was asked for
}

type thing struct {
	id, post, parent, text, photo string
	created, updated              time.Time
	hidden, gone, unlisted        bool
}

func newGraph(t *testing.T) *graph {
	g := &graph{limit: 2, header: http.Header{}}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/media/") {
		g.media++
		if strings.Contains(r.URL.Path, "missing") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/png")
		fmt.Fprint(w, "\x89PNG "+r.URL.Path)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/v26.0/")
	if !ok || r.URL.Query().Get("access_token") != "" {
		http.Error(w, "unversioned call, or a token in the address", http.StatusTeapot)
		return
	}
	g.calls = append(g.calls, path)
	for k, v := range g.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	if r.Header.Get("Authorization") != "Bearer "+graphToken {
		graphError(w, 400, 190, 0)
		return
	}
	if g.fault != nil {
		if status, body := g.fault(path); status != 0 {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return
		}
	}
	id, edge, _ := strings.Cut(path, "/")
	switch {
	case (id == "100" || id == "larkspurpd" || id == "me") && edge == "":
		write(w, map[string]any{"id": "100", "name": "Larkspur PD", "username": "larkspurpd", "link": g.URL + "/larkspurpd"})
	case id == "100" && edge == "published_posts":
		g.list(w, r, g.posts)
	case edge == "comments" && g.find(g.posts, id) != nil:
		g.list(w, r, slices.DeleteFunc(slices.Clone(g.comments), func(c *thing) bool { return c.post != id }))
	case edge == "":
		if x := g.find(append(slices.Clone(g.posts), g.comments...), id); x != nil {
			write(w, g.node(x))
			return
		}
		graphError(w, 400, 100, 33)
	default:
		graphError(w, 400, 100, 33)
	}
}

func graphError(w http.ResponseWriter, status, code, sub int) {
	w.WriteHeader(status)
	fmt.Fprint(w, envelope(code, sub))
}

func envelope(code, sub int) string {
	return fmt.Sprintf(`{"error":{"message":"a refusal","type":"OAuthException","code":%d,"error_subcode":%d,"fbtrace_id":"A1"}}`, code, sub)
}

func write(w http.ResponseWriter, v any) {
	json.NewEncoder(w).Encode(v) // the reader is the test itself
}

// find gives a thing that can still be read by its id.
func (g *graph) find(list []*thing, id string) *thing {
	for _, x := range list {
		if x.id == id && !x.gone {
			return x
		}
	}
	return nil
}

// list answers one page of a listing. What hangs on something that is gone is
// not listed, as on the real platform.
func (g *graph) list(w http.ResponseWriter, r *http.Request, all []*thing) {
	shown := slices.DeleteFunc(slices.Clone(all), func(x *thing) bool {
		return x.gone || x.unlisted || (x.parent != "" && g.find(g.comments, x.parent) == nil)
	})
	from, _ := strconv.Atoi(r.URL.Query().Get("after"))
	to := min(from+g.limit, len(shown))
	data := []any{}
	for _, x := range shown[min(from, to):to] {
		data = append(data, g.node(x))
	}
	paging := map[string]any{"cursors": map[string]string{"after": strconv.Itoa(to), "before": strconv.Itoa(from)}}
	if to < len(shown) {
		paging["next"] = "https://elsewhere.example/steal?access_token=" + graphToken
	}
	write(w, map[string]any{"data": data, "paging": paging})
}

func (g *graph) node(x *thing) map[string]any {
	const form = "2006-01-02T15:04:05-0700"
	n := map[string]any{
		"id": x.id, "message": x.text, "created_time": x.created.Format(form), "is_hidden": x.hidden, "like_count": g.likes,
		"permalink_url": g.URL + "/larkspurpd/posts/" + x.id, "a_field_of_tomorrow": map[string]int{"n": 1},
	}
	if x.post == "" {
		total := 0
		for _, c := range g.comments {
			if c.post == x.id && !c.gone {
				total++
			}
		}
		n["updated_time"] = x.updated.Format(form)
		n["comments"] = map[string]any{"data": []any{}, "summary": map[string]any{"total_count": total}}
		if x.photo != "" {
			n["attachments"] = map[string]any{"data": []any{map[string]any{"media_type": "photo", "type": "photo", "description": "A photo",
				"media": map[string]any{"image": map[string]any{"src": fmt.Sprintf("%s/media/%s?oh=%d", g.URL, x.photo, len(g.calls))}}}}}
		}
		return n
	}
	n["from"] = map[string]string{"id": "7" + x.id, "name": "A resident"}
	if x.parent != "" {
		n["parent"] = map[string]string{"id": x.parent}
	}
	return n
}

// do changes the platform.
func (g *graph) do(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
}

func (g *graph) thing(id string) *thing {
	for _, x := range append(slices.Clone(g.posts), g.comments...) {
		if x.id == id {
			return x
		}
	}
	panic("no such thing: " + id)
}

// asked gives the calls since the last time.
func (g *graph) asked() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	calls := g.calls
	g.calls = nil
	return calls
}
