// Package scope holds the rules that say whether an address is part of a
// source, and if not, why not. It is pure: it fetches nothing and remembers
// nothing.
package scope

import (
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-archive/candor"
)

// Reason says why an address is not part of a source. Empty means that it is.
type Reason string

// The reasons.
const (
	In           Reason = ""
	Malformed    Reason = "malformed"       // not an address
	NotHTTP      Reason = "not-http"        // mailto:, tel:, javascript:, ftp: and the like
	FragmentOnly Reason = "fragment-only"   // a place on the same page
	OtherHost    Reason = "other-host"      // another site, or another port
	OutsidePath  Reason = "outside-path"    // same site, outside the part we are charged with
	Credentials  Reason = "credentials"     // user name or password in the address
	TooDeep      Reason = "too-deep"        // more links away from the start than we follow
	TooLong      Reason = "too-long"        // longer than addresses that people make
	Binary       Reason = "binary"          // by its extension a file, not a page
	SessionID    Reason = "session-id"      // a page by a name of its own for each visitor
	Trap         Reason = "trap"            // repeats itself: such paths have no end
	Calendar     Reason = "calendar"        // one page for every day there ever was
	Action       Reason = "action"          // does something, or shows the same page in another order
	ManyParams   Reason = "many-parameters" // combinations of filters
)

// Limits of what still looks like a page somebody wrote.
const (
	DefaultDepth = 6
	maxLength    = 1024
	maxSegments  = 14
	maxParams    = 5
)

// Rules decides for one source.
type Rules struct {
	Start  *url.URL // in normal form
	prefix string   // "" for the whole site, else "/police"
	depth  int
}

// New makes the rules of a source from its address. Everything on the same
// site below the address belongs to it; "https://city.example/police/" covers
// that part only. Depth 0 means DefaultDepth.
func New(start string, depth int) (Rules, error) {
	u, err := url.Parse(start)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return Rules{}, candor.Errorf(candor.Invalid, "%q is not the address of a website; it must begin with https:// or http://", start)
	}
	if depth == 0 {
		depth = DefaultDepth
	}
	r := Rules{Start: Normal(u), depth: depth}
	p := r.Start.EscapedPath()
	if last := path.Base(p); !strings.HasSuffix(p, "/") && strings.Contains(last, ".") {
		p = path.Dir(p) // a file: its folder is the part meant
	}
	r.prefix = strings.TrimRight(p, "/")
	return r, nil
}

// Moved gives the rules after the start answered with a redirect. A site that
// sends its visitors to its other name (with or without www, from http to
// https) or to a page below is followed; anywhere else is not ours.
func (r Rules) Moved(to *url.URL) (Rules, bool) {
	n := Normal(to)
	if n.Scheme != "http" && n.Scheme != "https" || !sameSite(r.Start, n) {
		return r, false
	}
	if n.EscapedPath() != r.Start.EscapedPath() && !r.below(n) {
		return r, false
	}
	moved := *r.Start
	moved.Scheme, moved.Host = n.Scheme, n.Host
	r.Start = &moved
	return r, true
}

// Check says whether an absolute address, depth links away from the start, is
// part of the source.
func (r Rules) Check(u *url.URL, depth int) Reason {
	switch {
	case u == nil:
		return Malformed
	case u.Scheme != "http" && u.Scheme != "https":
		return NotHTTP
	case u.Hostname() == "":
		return Malformed
	case u.User != nil:
		return Credentials
	}
	n := Normal(u)
	switch {
	case !sameSite(r.Start, n):
		return OtherHost
	case !r.below(n):
		return OutsidePath
	case len(n.String()) > maxLength:
		return TooLong
	}
	if reason := shape(n); reason != In {
		return reason
	}
	if depth > r.depth {
		return TooDeep
	}
	return In
}

// Link resolves a link found on a page and checks it.
func (r Rules) Link(page *url.URL, href string, depth int) (*url.URL, Reason) {
	href = strings.TrimSpace(href)
	if href == "" || strings.HasPrefix(href, "#") {
		return nil, FragmentOnly
	}
	u, err := page.Parse(href)
	if err != nil {
		return nil, Malformed
	}
	if reason := r.Check(u, depth); reason != In {
		return nil, reason
	}
	n := r.Settle(u)
	if n.String() == r.Settle(page).String() && u.Fragment != "" {
		return nil, FragmentOnly
	}
	return n, In
}

// SameHost reports whether an address is on the source's site, wherever on it:
// feeds and sitemaps may lie outside the part we are charged with.
func (r Rules) SameHost(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.User == nil && sameSite(r.Start, Normal(u))
}

// Settle gives the one address by which a page of this source is known: in
// normal form, by the scheme and host name the site itself uses.
func (r Rules) Settle(u *url.URL) *url.URL {
	n := Normal(u)
	if sameSite(r.Start, n) {
		n.Scheme, n.Host = r.Start.Scheme, r.Start.Host
	}
	return n
}

func (r Rules) below(n *url.URL) bool {
	p := n.EscapedPath()
	return r.prefix == "" || p == r.prefix || strings.HasPrefix(p, r.prefix+"/")
}

// sameSite compares hosts without "www." and, unless one is named, ports.
func sameSite(a, b *url.URL) bool {
	bare := func(u *url.URL) string { return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.") }
	return bare(a) == bare(b) && a.Port() == b.Port()
}

// tracking parameters say where a visitor came from, not what is shown.
var tracking = regexp.MustCompile(`^(utm_.*|fbclid|gclid|gbraid|wbraid|msclkid|mc_cid|mc_eid|igshid|_ga|_gl|ref_src)$`)

// Normal gives an address in its normal form: lower-case scheme and host, no
// default port, no fragment, no dot segments, no tracking parameters.
func Normal(u *url.URL) *url.URL {
	n := *u
	n.Scheme = strings.ToLower(n.Scheme)
	host, port := strings.ToLower(n.Hostname()), n.Port()
	host = strings.TrimRight(host, ".")
	if (n.Scheme == "http" && port == "80") || (n.Scheme == "https" && port == "443") {
		port = ""
	}
	switch {
	case port != "":
		n.Host = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		n.Host = "[" + host + "]"
	default:
		n.Host = host
	}
	n.Fragment, n.RawFragment = "", ""
	n.ForceQuery = false
	if n.Path == "" {
		n.Path, n.RawPath = "/", ""
	} else if dotted(n.Path) {
		// Browsers take "%2e" for a dot here, so the decoded path is cleaned.
		clean := path.Clean(n.Path)
		if clean != "/" && (strings.HasSuffix(n.Path, "/") || strings.HasSuffix(n.Path, "/.") || strings.HasSuffix(n.Path, "/..")) {
			clean += "/"
		}
		n.Path, n.RawPath = clean, ""
	}
	if n.RawQuery != "" {
		kept := slices.DeleteFunc(strings.Split(n.RawQuery, "&"), func(p string) bool {
			name, _, _ := strings.Cut(p, "=")
			return p == "" || tracking.MatchString(strings.ToLower(name))
		})
		n.RawQuery = strings.Join(kept, "&")
	}
	return &n
}

func dotted(p string) bool {
	return strings.Contains(p, "/./") || strings.Contains(p, "/../") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..") || strings.Contains(p, "//")
}

var (
	binary = regexp.MustCompile(`(?i)\.(jpe?g|png|gif|webp|avif|svg|ico|bmp|tiff?|heic|mp[34]|m4[av]|mov|avi|webm|wmv|ogg|wav|` +
		`pdf|docx?|xlsx?|pptx?|odt|ods|odp|rtf|csv|zip|gz|tgz|bz2|xz|7z|rar|tar|exe|msi|dmg|apk|iso|css|js|mjs|json|xml|rss|atom|ics|kml|kmz|shp|woff2?|ttf|otf|eot)$`)
	session  = regexp.MustCompile(`(?i)(;jsessionid=|^(phpsessid|jsessionid|aspsessionid.*|sessionid|session_id|sid|cftoken|cfid)$)`)
	calendar = regexp.MustCompile(`(?i)^(ical|outlook-ical|tribe-bar-date|tribe_events_display|eventdisplay|curyear|curmonth|curday|month|year|day|week|date|startdate|enddate|calendar|cal_date)$`)
	calPath  = regexp.MustCompile(`(?i)/(calendar|calendario|events?|eventos?|agenda)/.*\b(19|20)\d\d[-/](0?[1-9]|1[0-2])\b`)
	action   = regexp.MustCompile(`(?i)^(replytocom|share|print|format|sort|order|orderby|sortby|dir|action|do|add-to-cart|login|logout|redirect|redirect_to|returnurl|return|nonce|_wpnonce|preview|view_as)$`)
	actPath  = regexp.MustCompile(`(?i)/(wp-login\.php|wp-admin|wp-json|xmlrpc\.php|cgi-bin|log(in|out)|signin|sign-in|signout|cart|checkout)(/|$)`)
)

// shape judges an address by how it is made.
func shape(n *url.URL) Reason {
	p := n.EscapedPath()
	switch {
	case binary.MatchString(p):
		return Binary
	case session.MatchString(p):
		return SessionID
	case actPath.MatchString(p):
		return Action
	case calPath.MatchString(p):
		return Calendar
	case repeats(p):
		return Trap
	}
	if n.RawQuery == "" {
		return In
	}
	parts := strings.Split(n.RawQuery, "&")
	if len(parts) > maxParams {
		return ManyParams
	}
	for _, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		name, _ = url.QueryUnescape(name) // a name that cannot be decoded matches no rule
		switch {
		case session.MatchString(name):
			return SessionID
		case calendar.MatchString(name):
			return Calendar
		case action.MatchString(name):
			return Action
		}
		// A listing of many pages ends; a counter that went far was never meant to be read.
		if v, err := strconv.Atoi(value); err == nil && v > 500 && (name == "page" || name == "paged" || name == "start" || name == "offset") {
			return Trap
		}
	}
	return In
}

// repeats finds paths that a broken relative link makes without end.
func repeats(p string) bool {
	segments := strings.FieldsFunc(p, func(r rune) bool { return r == '/' })
	if len(segments) > maxSegments {
		return true
	}
	seen := map[string]int{}
	for i, s := range segments {
		seen[s]++
		if seen[s] >= 3 {
			return true
		}
		// a/b/a/b
		if i >= 3 && s == segments[i-2] && segments[i-1] == segments[i-3] {
			return true
		}
	}
	return false
}
