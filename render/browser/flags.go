package browser

import (
	"os"
	"strings"
)

// bypass keeps loopback, which Chrome would reach directly, in the proxy.
const bypass = "<-loopback>"

// off are the features of Chrome that are switched off.
var off = []string{
	// What would fetch, or keep a service busy, for a user who is not there.
	"Translate", "OptimizationHints", "OptimizationGuideModelDownloading", "OptimizationGuideOnDeviceModel", "OnDeviceModelPerformanceParams",
	"MediaRouter", "DialMediaRouteProvider", "AutofillServerCommunication", "CertificateTransparencyComponentUpdater", "InterestFeedContentSuggestions",
	// What would make one visit differ from the next, or from what the site sent.
	"AcceptCHFrame", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "PaintHolding", "BackForwardCache", "Prerender2", "LazyFrameLoading",
	// The window's own address bar loads two pages of the browser into a process
	// of their own for every window: more work than most pages are.
	"WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
	// Addresses of the machine are not a page's business.
	"WebRtcHideLocalIpsWithMdns",
	// A visit has no cookie or account another site's frame could steal, and
	// with one process the one session sees every frame's exchanges.
	"IsolateOrigins", "site-per-process",
}

// flags are the switches Chrome starts with. They keep it quiet (nothing of its
// own on the network), keep all traffic in our proxies, and keep the picture
// independent of the machine.
func flags(proxyAddr, profile string) []string {
	args := []string{
		"--disable-background-networking", "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
		"--disable-breakpad", "--disable-client-side-phishing-detection", "--disable-component-update", "--disable-default-apps",
		"--disable-dev-shm-usage", "--disable-domain-reliability", "--disable-extensions", "--disable-gpu", "--disable-hang-monitor",
		"--disable-ipc-flooding-protection", "--disable-prompt-on-repost", "--disable-renderer-backgrounding", "--disable-search-engine-choice-screen",
		"--disable-sync", "--enable-unsafe-swiftshader", "--metrics-recording-only", "--mute-audio", "--no-default-browser-check",
		"--no-first-run", "--no-pings", "--no-service-autorun", "--no-startup-window", "--use-mock-keychain", "--hide-scrollbars",
		// Prompts would wait for somebody who is not there.
		"--deny-permission-prompts", "--disable-notifications",
		// The whole browser blocks the windows that nobody clicked for by itself;
		// the headless shell must be told, and blocks all.
		"--block-new-web-contents",
		// QUIC is UDP and would go round the proxy.
		"--disable-quic",
		"--disable-site-isolation-trials",
		"--headless=new",
		"--remote-debugging-pipe",
		"--user-data-dir=" + profile,
		"--proxy-server=http://" + proxyAddr,
		"--proxy-bypass-list=" + bypass,
		// Names are the proxy's to look up: no prefetch, no WebRTC asks the network.
		"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
		"--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
		"--webrtc-ip-handling-policy=disable_non_proxied_udp",
		"--force-color-profile=srgb",
		"--font-render-hinting=slight",
		"--password-store=basic",
		"--lang=en-US",
		"--autoplay-policy=user-gesture-required",
		"--disable-features=" + strings.Join(off, ","),
	}
	if os.Getuid() == 0 { // Chrome refuses to sandbox what runs as root
		args = append(args, "--no-sandbox")
	}
	return args
}
