package scope

import (
	"net/url"
	"testing"

	"github.com/candor-archive/candor"
)

func rules(t *testing.T, start string) Rules {
	t.Helper()
	r, err := New(start, 0)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLinksOfAWholeSite(t *testing.T) {
	r := rules(t, "https://www.larkspur.example/")
	page, _ := url.Parse("https://www.larkspur.example/news/2026/")
	for _, c := range []struct {
		href string
		want Reason
		get  string
	}{
		{"storm", In, "https://www.larkspur.example/news/2026/storm"},
		{"/about/", In, "https://www.larkspur.example/about/"},
		{"http://larkspur.example/about/", In, "https://www.larkspur.example/about/"},
		{"HTTPS://WWW.Larkspur.Example:443/About", In, "https://www.larkspur.example/About"},
		{"/a/./b/../c?x=1&utm_source=mail&fbclid=Z", In, "https://www.larkspur.example/a/c?x=1"},
		{"?page=2", In, "https://www.larkspur.example/news/2026/?page=2"},
		{"/noticias/a%C3%B1o", In, "https://www.larkspur.example/noticias/a%C3%B1o"},
		{"//www.larkspur.example/x", In, "https://www.larkspur.example/x"},
		{"#top", FragmentOnly, ""},
		{"", FragmentOnly, ""},
		{"./#main", FragmentOnly, ""},
		{"mailto:records@larkspur.example", NotHTTP, ""},
		{"tel:5550140", NotHTTP, ""},
		{"javascript:void(0)", NotHTTP, ""},
		{"ftp://larkspur.example/x", NotHTTP, ""},
		{"https://[::1", Malformed, ""},
		{"http://", Malformed, ""},
		{"https://other.example/", OtherHost, ""},
		{"https://larkspur.example.evil.example/", OtherHost, ""},
		{"https://police.larkspur.example/", OtherHost, ""},
		{"https://www.larkspur.example:8443/", OtherHost, ""},
		{"https://user:pw@www.larkspur.example/", Credentials, ""},
		{"/files/budget.pdf", Binary, ""},
		{"/img/Photo.JPG", Binary, ""},
		{"/feed.xml", Binary, ""},
		{"/page;jsessionid=AB12", SessionID, ""},
		{"/page?PHPSESSID=ab12", SessionID, ""},
		{"/events/2031-02-03/", Calendar, ""},
		{"/calendar/view/2031/02/", Calendar, ""},
		{"/calendar?month=5", Calendar, ""},
		{"/events/spring-fair-2026/", In, "https://www.larkspur.example/events/spring-fair-2026/"},
		{"/news/?replytocom=5", Action, ""},
		{"/wp-login.php", Action, ""},
		{"/list?sort=up", Action, ""},
		{"/a/a/a/", Trap, ""},
		{"/a/b/a/b/", Trap, ""},
		{"/?page=90000", Trap, ""},
		{"/f?a=1&b=2&c=3&d=4&e=5&f=6", ManyParams, ""},
	} {
		u, got := r.Link(page, c.href, 1)
		if got != c.want {
			t.Errorf("Link(%q): %q, want %q", c.href, got, c.want)
			continue
		}
		if got == In && u.String() != c.get {
			t.Errorf("Link(%q) = %s, want %s", c.href, u, c.get)
		}
	}
}

func TestPartOfASite(t *testing.T) {
	for _, c := range []struct {
		start, address string
		want           Reason
	}{
		{"https://city.example/police/", "https://city.example/police/news", In},
		{"https://city.example/police/", "https://city.example/police", In},
		{"https://city.example/police", "https://city.example/police/x", In},
		{"https://city.example/police", "https://city.example/policeman", OutsidePath},
		{"https://city.example/police/", "https://city.example/", OutsidePath},
		{"https://city.example/police/index.html", "https://city.example/police/staff.html", In},
		{"https://city.example/police/index.html", "https://city.example/fire.html", OutsidePath},
		{"https://city.example/police/", "https://city.example/police/../fire/", OutsidePath},
		{"https://city.example/police/", "https://city.example/police/%2e%2e/fire/", OutsidePath},
	} {
		u, err := url.Parse(c.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := rules(t, c.start).Check(u, 1); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.address, c.start, got, c.want)
		}
	}
}

func TestDepth(t *testing.T) {
	r := rules(t, "https://city.example/")
	u, _ := url.Parse("https://city.example/x")
	if got := r.Check(u, DefaultDepth); got != In {
		t.Errorf("at the limit: %q", got)
	}
	if got := r.Check(u, DefaultDepth+1); got != TooDeep {
		t.Errorf("beyond the limit: %q", got)
	}
}

func TestMovedStart(t *testing.T) {
	for _, c := range []struct {
		start, to, settled string
		ok                 bool
	}{
		{"http://city.example/", "https://www.city.example/", "https://www.city.example/x", true},
		{"http://city.example/", "http://city.example/home/", "http://city.example/x", true},
		{"http://city.example/", "https://parked.example/", "http://city.example/x", false},
		{"http://city.example/police/", "http://city.example/", "http://city.example/x", false},
	} {
		to, _ := url.Parse(c.to)
		r, ok := rules(t, c.start).Moved(to)
		x, _ := url.Parse("http://city.example/x")
		if ok != c.ok || r.Settle(x).String() != c.settled {
			t.Errorf("%s moved to %s: %v, %s", c.start, c.to, ok, r.Settle(x))
		}
	}
}

func TestStartMustBeAWebAddress(t *testing.T) {
	for _, s := range []string{"", "city.example", "ftp://city.example/", "https://", "javascript:alert(1)", "https://%zz"} {
		if _, err := New(s, 0); !candor.IsKind(err, candor.Invalid) {
			t.Errorf("New(%q): %v", s, err)
		}
	}
}

// A normal form must be its own normal form, or one page would have two names.
func FuzzNormal(f *testing.F) {
	for _, s := range []string{"https://a.example/x/../y?b=1&utm_source=q#z", "HTTP://A.example:80//a//b/", "https://[::1]:443/%7e?", "http://a./%2e%2e/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
			return
		}
		once := Normal(u)
		if once.Hostname() == "" {
			return
		}
		again, err := url.Parse(once.String())
		if err != nil {
			return // not an address that can be written down
		}
		if twice := Normal(again); twice.String() != once.String() {
			t.Errorf("%q: %q, then %q", s, once, twice)
		}
	})
}
