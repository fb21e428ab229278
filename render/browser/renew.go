package browser

import (
	"context"
	"errors"
	"fmt"

	"github.com/candor-archive/candor/render/proxy"
)

// Renew gives a tab as empty as a new one in the same browser, for a further
// visit that belongs to the same capture. begin starts that visit at the proxy.
// From then on only the lease it gives counts; when it fails, the old one does,
// and is to be returned as broken.
func (l *Lease) Renew(ctx context.Context, begin func(*proxy.Proxy) *proxy.Visit) (*Lease, error) {
	c := l.slot.chrome
	if c.dead() {
		return nil, errors.New("open another tab: the browser is gone")
	}
	next := &Lease{Tab: l.Tab, Proxy: l.Proxy, pool: l.pool, slot: l.slot}
	if !l.dispose(closeTimeout) {
		return nil, fmt.Errorf("open another tab: the last one did not close within %s", closeTimeout)
	}
	next.Visit = begin(l.Proxy)
	tab, err := c.newTab(ctx, l.Proxy)
	if err != nil {
		return nil, err
	}
	next.Tab = tab
	return next, nil
}
