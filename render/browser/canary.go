package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/domsnapshot"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/proxy"
)

// canaryHTML draws four squares by four ways that captures rely on: a style
// sheet, a closed shadow root, a canvas and an image that the network gives.
const canaryHTML = `<!DOCTYPE html><title>canary</title><style>*{margin:0}body{background:#fff}i,x-c,canvas,img{display:block;width:32px;height:32px;background:#ff0000}</style>
<i></i><x-c></x-c><canvas width="32" height="32"></canvas><img src="/i.svg"><script>
document.querySelector('x-c').attachShadow({mode:'closed'}).innerHTML='<b style="display:block;width:32px;height:32px;color:#00ff00;background:#00ff00">word</b>';
const c=document.querySelector('canvas').getContext('2d');c.fillStyle='#0000ff';c.fillRect(0,0,32,32);
</script>`

const canarySVG = `<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"><rect width="32" height="32" fill="#ffff00"/></svg>`

var canaryColours = [4][3]uint32{{0xffff, 0, 0}, {0, 0xffff, 0}, {0, 0, 0xffff}, {0xffff, 0xffff, 0}}

// oldest is the first major version whose protocol has all that captures use.
const oldest = 128

const canaryTimeout = 30 * time.Second

// proven remembers the builds that were tried, by path and product.
var proven sync.Map

// canary makes one tiny capture in a browser of a build not yet tried and fails
// when anything in it is not as it must be: better no capture than thousands
// that are subtly wrong.
func (c *chrome) canary(ctx context.Context, path string) error {
	key := path + " " + c.product
	if _, ok := proven.Load(key); ok {
		return nil
	}
	cctx, cancel := context.WithTimeout(ctx, canaryTimeout)
	defer cancel()
	err := c.sing(cctx)
	switch {
	case err == nil:
		proven.Store(key, true)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case c.dead():
		return errors.New("the browser died while it was tried")
	}
	return candor.Errorf(candor.Unavailable, "%s (%s) is not a browser that captures can be made with: %w. Install Chromium %d or later, or name another with CANDOR_CHROME",
		c.product, path, err, oldest)
}

func (c *chrome) sing(ctx context.Context) error {
	_, version, _ := strings.Cut(c.product, "/")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldest {
		return fmt.Errorf("it is older than version %d, or does not say its version", oldest)
	}
	inside := newMemory()
	defer inside.server.Close() // of connections in memory
	px, err := proxy.Start(inside, proxy.Limits{}, c.log)
	if err != nil {
		return err
	}
	defer func() {
		if err := px.Close(); err != nil {
			c.log.Error("close the canary's proxy", "error", err)
		}
	}()
	t, err := c.newTab(ctx, px)
	if err != nil {
		return err
	}
	defer func() {
		if !t.dispose(closeTimeout) {
			c.log.Warn("the canary's page did not close")
		}
	}()
	var mu sync.Mutex
	var images []network.RequestID
	loaded := make(chan struct{}, 1)
	t.Target.Listen(func(ev any) {
		switch e := ev.(type) {
		case *network.EventLoadingFinished:
			mu.Lock()
			images = append(images, e.RequestID)
			mu.Unlock()
		case *page.EventLoadEventFired:
			select {
			case loaded <- struct{}{}:
			default:
			}
		}
	})
	if _, err := cdp.Call(ctx, t.Target, network.Enable, network.EnableParams{}); err != nil {
		return fmt.Errorf("network events: %w", err)
	}
	// A name that exists nowhere: only the proxy can answer for it.
	nav, err := cdp.Call(ctx, t.Target, page.Navigate, page.NavigateParams{URL: "http://canary.invalid/"})
	if err != nil || nav.ErrorText != "" {
		return fmt.Errorf("it does not load a page through its proxy: %w", errors.Join(err, errorText(nav.ErrorText)))
	}
	select {
	case <-loaded:
	case <-ctx.Done():
		return fmt.Errorf("a tiny page did not load: %w", ctx.Err())
	}
	world, err := cdp.Call(ctx, t.Target, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: nav.FrameID, WorldName: "candor"})
	if err != nil {
		return fmt.Errorf("isolated worlds: %w", err)
	}
	title, err := cdp.Call(ctx, t.Target, runtime.CallFunctionOn, runtime.CallFunctionOnParams{ExecutionContextID: world.ExecutionContextID,
		FunctionDeclaration: "() => document.title", ReturnByValue: new(true)})
	if err != nil || title.Result == nil || string(title.Result.Value) != `"canary"` {
		return fmt.Errorf("scripts in an isolated world: %w", errors.Join(err, errorText("the answer is wrong")))
	}
	shot, err := cdp.Call(ctx, t.Target, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng,
		Clip: &page.Viewport{Width: 32, Height: 128, Scale: 2}, CaptureBeyondViewport: new(true), OptimizeForSpeed: new(true)})
	if err != nil {
		return fmt.Errorf("pictures: %w", err)
	}
	if err := canaryPicture(shot.Data); err != nil {
		return err
	}
	snap, err := cdp.Call(ctx, t.Target, domsnapshot.CaptureSnapshot, domsnapshot.CaptureSnapshotParams{ComputedStyles: []string{}})
	if err != nil {
		return fmt.Errorf("layout snapshots: %w", err)
	}
	word := false
	for _, s := range snap.Strings {
		word = word || s == "word"
	}
	if !word || len(snap.Documents) == 0 {
		return errors.New("a layout snapshot lacks the words of a closed shadow root")
	}
	mu.Lock()
	last := images
	mu.Unlock()
	for _, id := range last {
		body, err := cdp.Call(ctx, t.Target, network.GetResponseBody, network.GetResponseBodyParams{RequestID: id})
		if err == nil && string(body.Body) == canarySVG {
			return nil
		}
	}
	return errors.New("it does not hand over what the network gave")
}

func errorText(s string) error {
	if s == "" {
		return nil
	}
	return errors.New(s)
}

func canaryPicture(b []byte) error {
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("its picture is no PNG: %w", err)
	}
	if s := img.Bounds().Size(); s.X != 64 || s.Y != 256 {
		return fmt.Errorf("its picture has %d×%d pixels, want 64×256", s.X, s.Y)
	}
	for y := range 256 {
		for x := range 64 {
			r, g, b, _ := img.At(x, y).RGBA()
			if [3]uint32{r, g, b} != canaryColours[y/64] {
				return fmt.Errorf("its picture has the colour %02x%02x%02x at %d,%d", r>>8, g>>8, b>>8, x, y)
			}
		}
	}
	return nil
}

// memory is a web server without a network: dialling it always reaches the
// canary's page.
type memory struct {
	server http.Server
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemory() *memory {
	m := &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
	m.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/i.svg" {
			w.Header().Set("Content-Type", "image/svg+xml")
			io.WriteString(w, canarySVG) // a browser that goes away is found out elsewhere
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, canaryHTML) // as above
	})
	m.server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	go m.server.Serve(m) // ends with the server's Close, which is no error
	return m
}

// DialContext makes memory a proxy.Dialer.
func (m *memory) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case m.conns <- far:
		return near, nil
	case <-ctx.Done():
	case <-m.closed:
	}
	return nil, net.ErrClosed
}

// Accept makes memory a net.Listener.
func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

// Addr is no real address.
func (m *memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// Close makes Accept end. The server calls it when it is closed itself.
func (m *memory) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}
