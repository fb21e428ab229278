package main

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures"
)

// clerk is a member of staff at a browser that shows nothing.
type clerk struct {
	s      *server
	client *http.Client
}

func (s *server) signIn(email string) *clerk {
	s.t.Helper()
	jar, _ := cookiejar.New(nil) // never fails without options
	c := &clerk{s, &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	if page := c.post("/staff/sign-in", "email", email, "password", staffPassword); !strings.Contains(page, "/staff/sign-out") {
		s.t.Fatalf("%s can't sign in: %s", email, page)
	}
	return c
}

// post sends a form and gives the page that follows.
func (c *clerk) post(path string, pairs ...string) string {
	c.s.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	res, err := c.client.PostForm(c.s.url+path, form)
	if err != nil {
		c.s.t.Fatal(err)
	}
	return readAll(res)
}

func (c *clerk) get(path string) string {
	c.s.t.Helper()
	res, err := c.client.Get(c.s.url + path)
	if err != nil {
		c.s.t.Fatal(err)
	}
	return readAll(res)
}

// TestAccessIsLostToldAndMended walks through the loss of an account's access
// with the real program: staff are told at once and see it, a token that does
// not work is not kept, one that does is, archiving goes on where it stopped,
// and the token is nowhere to be read.
func TestAccessIsLostToldAndMended(t *testing.T) {
	city, err := fixtures.Start(t.Context(), fixtures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer city.Close()
	dir := filepath.Join(t.TempDir(), "archive")
	src := candor.Source{ID: candor.NewID(), Kind: candor.SourceFacebook, Name: "Larkspur police", URL: city.PageURL, APIURL: city.APIURL,
		Public: true, Every: time.Hour}
	store := openArchive(t, dir)
	if err := store.AddSource(t.Context(), src, city.Token, "test"); err != nil {
		t.Fatal(err)
	}
	if err := store.SaveAgency(t.Context(), candor.Agency{Name: "City of Larkspur", Short: "LPD", TimeZone: "America/Chicago", Jurisdiction: "us-tx"}, "test"); err != nil {
		t.Fatal(err)
	}
	store.Close()
	hire(t, dir, "admin@larkspur.example", candor.Admin)
	s := serve(t, dir, "--allow-private", "--capture-workers", "0")
	admin := s.signIn("admin@larkspur.example")
	page := "/staff/sources/" + src.ID
	until := func(what, path, words string) {
		t.Helper()
		s.until(time.Minute, what, func() bool { return strings.Contains(admin.get(path), words) })
	}
	until("the account is read", page, "Read without trouble")
	if got := admin.post(page + "/test"); !strings.Contains(got, "The token reads Larkspur Police Department") {
		t.Errorf("the test of a good token says: %s", got)
	}

	if err := city.Controller().ExpireToken(); err != nil {
		t.Fatal(err)
	}
	admin.post(page + "/poll")
	until("the loss shows on the source's page", page, "This source is not being archived")
	until("the administrator is told", "/staff/outbox", "Not archived any more: Larkspur police")
	if got := admin.get("/staff"); !strings.Contains(got, `<a href="`+page+`">Larkspur police</a>: The platform no longer accepts`) {
		t.Error("the home page does not say that the source is lost")
	}
	time.Sleep(1100 * time.Millisecond) // the platform tells times to the second
	if _, err := city.Controller().AddPost(fixtures.PostDraft{Message: "Posted while nobody could read it."}); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{city.Token, "TSQ1nobodys0token0that0was0made0up"} {
		if got := admin.post(page+"/token", "token", token); !strings.Contains(got, "does not accept this token") {
			t.Errorf("a token that does not work: %s", got)
		}
	}

	if err := city.Controller().RestoreToken(); err != nil {
		t.Fatal(err)
	}
	if got := admin.post(page+"/token", "token", city.Token); !strings.Contains(got, "The new token reads Larkspur Police Department") {
		t.Errorf("a token that works: %s", got)
	}
	until("it is read again", page, "Read without trouble")
	until("the administrator is told that it works", "/staff/outbox", "Archived again: Larkspur police")
	until("what was posted meanwhile is there", "/staff/archive?q=nobody+could+read", "Posted while")
	s.stop()

	store = openArchive(t, dir)
	mails, err := store.Outbox(t.Context(), 10)
	store.Close()
	if err != nil || len(mails) != 2 || !strings.Contains(mails[0].Body, "1 post or comment from that time") {
		t.Errorf("mails %+v, %v", mails, err)
	}
	if strings.Contains(s.logged()+s.said(), city.Token) {
		t.Error("the token stands in the log")
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path)
		if bytes.Contains(body, []byte(city.Token)) {
			t.Errorf("the token stands in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
