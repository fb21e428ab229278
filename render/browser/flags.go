package browser

import "github.com/chromedp/chromedp"

// flags are the switches Chrome starts with. They keep it quiet (nothing of its
// own on the network), keep all traffic in our proxy, and keep the picture
// independent of the machine.
func flags(proxyAddr, profile string) []chromedp.ExecAllocatorOption {
	on := []string{
		"disable-background-networking", "disable-background-timer-throttling", "disable-backgrounding-occluded-windows",
		"disable-breakpad", "disable-client-side-phishing-detection", "disable-component-update", "disable-default-apps",
		"disable-dev-shm-usage", "disable-domain-reliability", "disable-extensions", "disable-gpu", "disable-hang-monitor",
		"disable-ipc-flooding-protection", "disable-prompt-on-repost", "disable-renderer-backgrounding", "disable-search-engine-choice-screen",
		"disable-sync", "enable-unsafe-swiftshader", "metrics-recording-only", "mute-audio", "no-default-browser-check",
		"no-first-run", "no-pings", "no-service-autorun", "use-mock-keychain", "hide-scrollbars",
		// Prompts would wait for somebody who is not there.
		"deny-permission-prompts", "disable-notifications",
		// QUIC is UDP and would go round the proxy.
		"disable-quic",
		// A visit has no cookie or account another site's frame could steal,
		// and with one process the one session sees every frame's exchanges.
		"disable-site-isolation-trials",
	}
	var opts []chromedp.ExecAllocatorOption
	for _, f := range on {
		opts = append(opts, chromedp.Flag(f, true))
	}
	for _, f := range [][2]string{
		{"headless", "new"},
		{"user-data-dir", profile},
		{"proxy-server", "http://" + proxyAddr},
		{"proxy-bypass-list", "<-loopback>"},                           // loopback goes through the proxy too
		{"host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"}, // names are the proxy's to look up; no prefetch, no WebRTC asks the network
		{"force-webrtc-ip-handling-policy", "disable_non_proxied_udp"},
		{"webrtc-ip-handling-policy", "disable_non_proxied_udp"},
		{"force-color-profile", "srgb"},
		{"font-render-hinting", "none"},
		{"password-store", "basic"},
		{"lang", "en-US"},
		{"autoplay-policy", "user-gesture-required"},
		{"disable-features", "IsolateOrigins,site-per-process,Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider," +
			"AutofillServerCommunication,CertificateTransparencyComponentUpdater,InterestFeedContentSuggestions,AcceptCHFrame," +
			"HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,PaintHolding,BackForwardCache,Prerender2,LazyFrameLoading,WebRtcHideLocalIpsWithMdns"},
	} {
		opts = append(opts, chromedp.Flag(f[0], f[1]))
	}
	return opts
}
