package page

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/candor-archive/candor"
)

// bands is a page of stripes 100 pixels high whose colour tells their number.
func bands(n int, more string) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html lang="en"><title>Bands</title><style>*{margin:0}div.b{height:100px}</style><body>` + more)
	for i := range n {
		c := bandColour(i)
		fmt.Fprintf(&b, `<div class=b style="background:rgb(%d,%d,%d)"></div>`, c.R, c.G, c.B)
	}
	return b.String()
}

func bandColour(i int) color.RGBA {
	return color.RGBA{uint8(40 + i%5*40), uint8(i * 7 % 200), uint8(100 + i/200), 255}
}

func checkBands(t *testing.T, img image.Image, scale, from, n int) {
	t.Helper()
	bad := 0
	for i := from; i < n; i++ {
		for _, y := range []int{1, 50, 98} {
			at := color.RGBAModel.Convert(img.At(img.Bounds().Dx()/2, (i*100+y)*scale)).(color.RGBA)
			if at != bandColour(i) {
				if bad++; bad < 4 {
					t.Errorf("band %d at %d is %v, want %v", i, y, at, bandColour(i))
				}
			}
		}
	}
	if bad > 3 {
		t.Errorf("%d more", bad-3)
	}
}

func TestPictureShowsEveryRowOfATallPage(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/short": bands(30, ""), "/tall": bands(165, ""), "/edge": bands(80, "")})
	for path, n := range map[string]int{"/short": 30, "/edge": 80, "/tall": 165} {
		c := capture(t, s.URL+path)
		c.want(candor.Complete, "")
		img := c.picture()
		if got := img.Bounds().Size(); got != image.Pt(1280, n*100) {
			t.Fatalf("%s: the picture is %v", path, got)
		}
		checkBands(t, img, 1, 0, n)
		if c.PageHeight != n*100 {
			t.Errorf("page height %d", c.PageHeight)
		}
	}
}

func TestPictureOfAPhoneIsTwiceAsFine(t *testing.T) {
	t.Parallel()
	page := strings.Replace(bands(90, ""), "<title>", `<meta name="viewport" content="width=device-width, initial-scale=1"><title>`, 1)
	s := site(t, map[string]any{"/": page})
	c := capture(t, s.URL+"/", onPhone)
	c.want(candor.Complete, "")
	img := c.picture()
	if got := img.Bounds().Size(); got != image.Pt(780, 18000) {
		t.Fatalf("the picture is %v", got)
	}
	checkBands(t, img, 2, 0, 90)
	if x := c.exchanges()[0]; !strings.Contains(strings.Join(x.RequestHeaders["user-agent"], ""), "Mobile") {
		t.Errorf("the user agent is not a phone's: %v", x.RequestHeaders)
	}
}

func TestStickyHeaderIsShownOnce(t *testing.T) {
	t.Parallel()
	head := `<header style="position:sticky;top:0;height:50px;background:rgb(255,0,0)"></header><nav style="position:fixed;top:0;left:0;width:300px;height:20px;background:rgb(255,0,0)"></nav>`
	s := site(t, map[string]any{"/": bands(90, head)})
	c := capture(t, s.URL+"/", scrolling)
	c.want(candor.Complete, "")
	img := c.picture()
	red := 0
	for y := range img.Bounds().Dy() {
		if r, g, _, _ := img.At(100, y).RGBA(); r == 0xffff && g == 0 {
			red++
		}
	}
	if red != 50 {
		t.Errorf("the header covers %d rows, want 50", red)
	}
}

func TestViewportIsNotEnlarged(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>Hero</title><style>*{margin:0}</style><div style="height:100vh;background:rgb(0,0,255)"></div><div style="height:9000px;background:rgb(0,128,0)"></div>`})
	c := capture(t, s.URL+"/")
	img := c.picture()
	if img.Bounds().Dy() != 9800 {
		t.Fatalf("the page is %d high, want 9800", img.Bounds().Dy())
	}
	if _, g, b, _ := img.At(600, 801).RGBA(); g == 0 || b != 0 {
		t.Error("the first section is higher than the window")
	}
}

func TestPageHigherThanTheLimitIsPartial(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": bands(60, "")})
	c := capture(t, s.URL+"/", func(_ *candor.CaptureSpec, l *Limits) { l.Height = 5_000 })
	c.want(candor.Partial, "truncated")
	if h := c.picture().Bounds().Dy(); h != 5_000 {
		t.Errorf("the picture is %d high", h)
	}
}

func TestEmptyPageIsPartial(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>Nothing</title>`})
	capture(t, s.URL+"/").want(candor.Partial, "single colour")
}

func TestThumbnailShowsTheTop(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": bands(30, "")})
	c := capture(t, s.URL+"/")
	f, ok := c.File(candor.Thumbnail)
	if !ok || f.Width != 320 || f.Height != 400 {
		t.Errorf("the thumbnail is %+v", f)
	}
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// Chrome resizes the view for a moment while it paints what lies beyond it, and
// boxes as wide as the view then forget how far they are scrolled.
func TestBoxesStayScrolledInThePicture(t *testing.T) {
	slides := `<!DOCTYPE html><title>x</title><style>body{margin:0}.s{display:flex;overflow-x:scroll;%s}.s div{flex:0 0 100%%;height:200px}</style>
		<div class=s id=s><div style="background:rgb(255,0,0)"></div><div style="background:rgb(0,0,255)"></div><div style="background:rgb(0,255,0)"></div></div>
		<div id=h></div><script>h.attachShadow({mode:'open'}).innerHTML = s.outerHTML.replace('id=s', '') + document.querySelector('style').outerHTML;
		s.scrollLeft = innerWidth; h.shadowRoot.querySelector('.s').scrollLeft = 2 * innerWidth;</script>%s`
	s := site(t, map[string]any{
		"/low":     fmt.Sprintf(slides, "", ""),
		"/tall":    fmt.Sprintf(slides, "", `<div style="height:3000px">more</div>`),
		"/snapped": fmt.Sprintf(slides, "scroll-snap-type:x mandatory;scroll-behavior:smooth", `<style>.s div{scroll-snap-align:center}</style><div style="height:3000px">more</div><script>s.scrollTo({left:innerWidth,behavior:'instant'})</script>`),
	})
	for _, path := range []string{"/low", "/tall", "/snapped"} {
		c := capture(t, s.URL+path)
		c.want(candor.Complete, "")
		img := c.picture()
		if _, _, b, _ := img.At(640, 100).RGBA(); b != 0xffff {
			t.Errorf("%s: the second slide is not in the picture", path)
		}
		if _, g, _, _ := img.At(640, 300).RGBA(); g != 0xffff && path != "/snapped" {
			t.Errorf("%s: the third slide, in a shadow root, is not in the picture", path)
		}
	}
}
