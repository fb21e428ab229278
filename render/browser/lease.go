package browser

import (
	"time"

	"github.com/candor-archive/candor/render/proxy"
)

// Lease is one place in a browser, lent for one capture, with a browser context
// in which there is no cookie, cache or storage of another capture. All its
// traffic goes through a proxy of its own.
type Lease struct {
	*Tab
	Visit *proxy.Visit
	Proxy *proxy.Proxy

	pool *Pool
	slot *slot
}

// closeTimeout is how long a browser may take to close a page.
const closeTimeout = 8 * time.Second

// Return gives the place back. The process of a broken page, which hangs or has
// crashed, is ended; captures of other pages in the same browser go on. Only a
// browser that cannot close the page is replaced, once they are done.
func (l *Lease) Return(broken bool) {
	c := l.slot.chrome
	ok := !c.dead()
	if ok && !broken {
		ok = l.dispose(closeTimeout)
		broken = !ok
	}
	if broken && !c.dead() {
		ok = l.end(closeTimeout)
	}
	if !ok && !c.dead() {
		c.log.Warn("a page did not close, so its browser is replaced")
	}
	l.pool.closeProxy(l.Proxy)
	l.pool.release(l.slot, !ok)
}

// Kill ends the browser's processes without any ceremony, as a crash would.
// Other captures in the same browser fail, too.
func (l *Lease) Kill() { l.slot.chrome.kill() }

// Product is the browser's own name and build.
func (l *Lease) Product() string { return l.slot.chrome.product }

// Agent is the browser's user agent without the word that says it is headless.
func (l *Lease) Agent() string { return l.slot.chrome.agent }
