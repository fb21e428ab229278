package proxy

import "net/http"

// Offline begins a visit that reaches nothing outside: what the browser asks of
// host is answered by h, and everything else is refused and listed among the
// visit's refusals.
func (p *Proxy) Offline(host string, h http.Handler) *Visit {
	v := newVisit()
	v.host, v.answers = host, h
	return p.begin(v)
}

// serve answers a request of a visit that is offline.
func (v *Visit) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Scheme == "http" && r.URL.Host == v.host {
		v.answers.ServeHTTP(w, r)
		return
	}
	target := r.URL.String()
	if r.Method == http.MethodConnect {
		target = r.Host
	}
	v.refused(target, r.Host, "address refused: nothing is fetched during this visit")
	http.Error(w, "Nothing is fetched during this visit.", http.StatusForbidden)
}
