package page

import (
	"context"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"

	"github.com/candor-archive/candor"
)

// viewportOf is the window a profile sees the page through.
func viewportOf(p candor.Profile) candor.Viewport {
	if p == candor.Mobile {
		return candor.Viewport{Width: 390, Height: 844, Scale: 2, Mobile: true}
	}
	return candor.Viewport{Width: 1280, Height: 800, Scale: 1}
}

// viewOf is the window a capture is asked to be made in: the profile's, at the
// scale that was asked for, if it is one a picture can have.
func viewOf(spec candor.CaptureSpec) candor.Viewport {
	v := viewportOf(spec.Profile)
	if spec.Scale == 1 || spec.Scale == 2 || spec.Scale == 3 {
		v.Scale = spec.Scale
	}
	return v
}

// agentOf is the user agent of a profile, made from the browser's own so that
// its version is true.
func agentOf(p candor.Profile, own string) string {
	if p != candor.Mobile {
		return own
	}
	version := "0.0.0.0"
	if _, after, ok := strings.Cut(own, "Chrome/"); ok {
		version, _, _ = strings.Cut(after, " ")
	}
	return "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/" + version + " Mobile Safari/537.36"
}

const acceptLanguage = "en-US,en"

// emulate makes the tab look like the profile's device.
func (s *session) emulate(ctx context.Context) error {
	v, t := s.m.Viewport, s.lease.Target
	_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(v.Width), Height: int64(v.Height), DeviceScaleFactor: v.Scale, Mobile: v.Mobile,
		ScreenWidth: int64(v.Width), ScreenHeight: int64(v.Height)})
	if err != nil {
		return err
	}
	if _, err := cdp.Call(ctx, t, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: v.Mobile, MaxTouchPoints: 5}); err != nil {
		return err
	}
	_, major, _ := strings.Cut(s.lease.Product(), "/")
	major, _, _ = strings.Cut(major, ".")
	platform, nav := "Linux", "Linux x86_64"
	if v.Mobile {
		platform, nav = "Android", "Linux armv81"
	}
	_, err = cdp.Call(ctx, t, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: s.m.UserAgent, AcceptLanguage: acceptLanguage, Platform: nav,
		UserAgentMetadata: &emulation.UserAgentMetadata{
			Brands:   []*emulation.UserAgentBrandVersion{{Brand: "Chromium", Version: major}, {Brand: "Not_A Brand", Version: "24"}},
			Platform: platform, Mobile: v.Mobile,
		}})
	if err != nil {
		return err
	}
	if _, err := cdp.Call(ctx, t, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true}); err != nil {
		return err
	}
	_, err = cdp.Call(ctx, t, emulation.SetDefaultBackgroundColorOverride, emulation.SetDefaultBackgroundColorOverrideParams{
		Color: &cdp.RGBA{R: 255, G: 255, B: 255, A: 1}})
	return err
}
