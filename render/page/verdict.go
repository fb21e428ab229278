package page

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/candor-archive/candor"
)

// judge makes an outcome of what the exchanges and the page tell.
func (s *session) judge() {
	s.answered()
	// Whatever the server says, what the page turned out to be says more.
	if !s.doubts.fatal() || s.doubts.failedBy(candor.GapStatus) {
		if g, ok := s.obstacle(); ok {
			s.doubts.add(g)
		}
	}
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	s.refusals()
	if n := len(s.rec.broken); n > 0 {
		s.doubts.partial(candor.GapParts, strconv.Itoa(n), fmt.Sprintf("%d of its parts could not be loaded (%s)", n, s.rec.broken[0]))
	}
	if s.rec.dropped > 0 {
		s.doubts.partial(candor.GapLimits, strconv.Itoa(s.rec.dropped), fmt.Sprintf("%d requests beyond the first %d are not recorded", s.rec.dropped, s.limits.Exchanges))
	}
	if s.lease.Visit.Exceeded() {
		s.doubts.partial(candor.GapLimits, "", "the visit was cut off for moving too many bytes")
	}
	if s.rec.crashed {
		s.hung = true
		s.doubts.fail(candor.GapCrashed, "", "the page crashed the browser's tab")
	}
	if s.hung && s.m.FinalURL != "" {
		s.doubts.partial(candor.GapScript, "", errHung.Error())
	}
	if !s.doubts.fatal() && s.kept.path == "" && s.nothing() {
		code, text := candor.GapNoPicture, "nothing of the page could be captured"
		if s.hung {
			code, text = candor.GapScript, "the page does not answer, and nothing of it could be captured"
		}
		s.doubts.fail(code, "", text)
	}
}

// answered judges the answer to the request for the page itself.
func (s *session) answered() {
	s.rec.mu.Lock()
	defer s.rec.mu.Unlock()
	x := s.rec.mains[s.rec.loader]
	if x == nil {
		x = s.rec.main
	}
	if x == nil {
		if !s.doubts.fatal() {
			s.doubts.fail(candor.GapNotVisited, "", "the page was not asked for")
		}
		return
	}
	s.m.HTTPStatus, s.m.RemoteAddr = x.Status, x.RemoteAddr
	switch {
	case x.Refused:
		s.doubts.fail(candor.GapRefused, "", x.Failure)
	case s.doubts.failedBy(candor.GapNoAnswer): // what became of the request then is our own doing
	case s.navError != "" && x.Status < 400 && !strings.HasPrefix(x.Failure, "could not be reached"):
		s.doubts.fail(candor.GapUnreachable, s.navError, "the address "+trimFailure(s.navError))
	case x.Failure != "" && x.Status == 0:
		s.doubts.fail(candor.GapUnreachable, x.Failure, "the address "+trimFailure(x.Failure))
	case x.Status >= 400:
		s.doubts.fail(candor.GapStatus, strconv.Itoa(x.Status), strings.TrimSpace(fmt.Sprintf("the server answered %d %s", x.Status, x.StatusText)))
	}
}

// refusals lists what was not let through.
func (s *session) refusals() {
	seen := map[string]bool{}
	for _, f := range s.rec.refused {
		if !seen[f.url] {
			seen[f.url] = true
			s.m.Refused = append(s.m.Refused, candor.Refusal{URL: f.url, Reason: f.reason})
			seen[hostPort(f.url)] = true
		}
	}
	for _, f := range s.lease.Visit.Refusals() { // what no exchange told of: WebSockets, preconnections
		if !seen[f.Target] && !seen[f.Host] {
			s.m.Refused = append(s.m.Refused, candor.Refusal{URL: f.Target, Reason: f.Reason})
		}
	}
	if n := len(s.m.Refused); n > 0 && !s.doubts.fatal() {
		s.doubts.partial(candor.GapPartsDenied, strconv.Itoa(n), fmt.Sprintf("%d of its requests were refused (%s)", n, s.m.Refused[0].Reason))
	}
}

// nothing reports whether neither picture nor snapshot nor text was made.
func (s *session) nothing() bool {
	for _, name := range []string{screenshotName, snapshotName, textName} {
		if _, err := os.Stat(filepath.Join(s.dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

func trimFailure(f string) string {
	if len(f) > 5 && f[:5] == "net::" {
		return "could not be loaded: " + f
	}
	return f
}
