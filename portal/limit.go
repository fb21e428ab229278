package portal

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor/portal/view"
)

// limiter lets each network address do something so often: a burst, then a
// steady rate. It lives in memory, per process; who was quiet for an hour is
// forgotten.
type limiter struct {
	perSecond rate.Limit
	burst     int
	now       func() time.Time

	mu      sync.Mutex
	visitor map[string]*visitor
	swept   time.Time
}

type visitor struct {
	limit *rate.Limiter
	seen  time.Time
}

func newLimiter(perSecond float64, burst int, now func() time.Time) *limiter {
	return &limiter{perSecond: rate.Limit(perSecond), burst: burst, now: now, visitor: map[string]*visitor{}}
}

func (l *limiter) allow(key string) bool {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) > time.Hour {
		for k, v := range l.visitor {
			if now.Sub(v.seen) > time.Hour {
				delete(l.visitor, k)
			}
		}
		l.swept = now
	}
	v := l.visitor[key]
	if v == nil {
		v = &visitor{limit: rate.NewLimiter(l.perSecond, l.burst)}
		l.visitor[key] = v
	}
	v.seen = now
	return v.limit.AllowN(now, 1)
}

// address is the network a request came from: one IPv4 address, or one IPv6
// /64, which is what one household gets. Of a proxy's list only the last entry
// counts: the others are whatever the sender wrote.
func (s *server) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr // a test's address, perhaps
	}
	if s.Proxied {
		list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if last := strings.TrimSpace(list[len(list)-1]); last != "" {
			host = last
		}
	}
	ip := net.ParseIP(host)
	if ip == nil || ip.To4() != nil {
		return host
	}
	return ip.Mask(net.CIDRMask(64, 128)).String()
}

// limited guards a page with a limiter. Over the limit nothing is done, and
// the page says so and what to do instead.
func (s *server) limited(l *limiter, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.allow(s.address(r)) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", "60")
		p := view.For(r, "error.limit.title")
		s.errorPage(w, r, http.StatusTooManyRequests, "error.limit", nil, "Wait", p.T("error.limit.minute"))
	})
}

// limitedFind guards a page that looks for words on a picture when asked to:
// that is a search, and the page without it is not.
func (s *server) limitedFind(next http.Handler) http.Handler {
	search := s.limited(s.search, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if view.LookedFor(r) != "" {
			search.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
