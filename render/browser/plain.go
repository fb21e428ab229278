package browser

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// Plain gives the switches a pool's browser starts with, but for its proxy and
// for what belongs to how the pool talks to it: so that a browser measured beside
// the pool, or one that judges its captures, differs from it in nothing else.
func Plain(profile string) []chromedp.ExecAllocatorOption {
	var opts []chromedp.ExecAllocatorOption
	for _, arg := range flags("127.0.0.1:0", profile) {
		name, value, valued := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		switch {
		case name == "proxy-server", name == "proxy-bypass-list", name == "host-resolver-rules", name == "no-startup-window", name == "remote-debugging-pipe":
		case valued:
			opts = append(opts, chromedp.Flag(name, value))
		default:
			opts = append(opts, chromedp.Flag(name, true))
		}
	}
	return opts
}
