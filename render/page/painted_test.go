package page

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/render/picture"
)

// opened is a session whose page is loaded and settled, ready for its picture.
func opened(t *testing.T, url string, v candor.Viewport) *session {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	lease, err := pool.Borrow(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{spec: candor.CaptureSpec{URL: url, Profile: candor.Desktop}, dir: t.TempDir(), limits: Limits{}.withDefaults(), now: time.Now,
		log: testLog(t), lease: lease, m: &candor.Manifest{Viewport: v, UserAgent: lease.Agent()}}
	out, err := newExchangeWriter(ctx, s.dir, lease.Target, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		out.close()
		lease.Return(s.hung)
	})
	s.rec = newRecorder(lease.Proxy, lease.Visit, s.limits, out)
	if err := s.open(ctx); err != nil {
		t.Fatal(err)
	}
	if s.step(ctx, "navigate", s.navigate) != candor.StepDone || s.step(ctx, "load", s.load) != candor.StepDone {
		t.Fatalf("the page was not loaded: %+v", s.m.Steps)
	}
	s.settle(ctx, "")
	return s
}

func (s *session) rows(t *testing.T, each func(y int, row []byte)) {
	t.Helper()
	f, err := os.Open(filepath.Join(s.dir, screenshotName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := picture.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for y := 0; ; y++ {
		row, err := r.Row()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		each(y, row)
	}
}

// The pages are narrow, so that what is tested is their height.
func TestEveryRowIsThereAtEveryScale(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/1": narrow(165), "/2": narrow(165), "/3": narrow(2000)})
	for scale, height := range map[int]int{1: 16_500, 2: 16_500, 3: 200_000} {
		ctx := t.Context()
		p := opened(t, fmt.Sprintf("%s/%d", s.URL, scale), candor.Viewport{Width: 48, Height: 600, Scale: float64(scale)})
		e, detail, err := p.shoot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if e.full != height || e.cut || p.survey.Width != 48*scale || p.survey.Height != height*scale {
			t.Fatalf("at scale %d the extent is %+v and the picture %d×%d (%s)", scale, e, p.survey.Width, p.survey.Height, detail)
		}
		bad := 0
		p.rows(t, func(y int, row []byte) {
			want := bandColour(y / (100 * scale))
			for _, x := range []int{0, 24 * scale, 48*scale - 1} {
				if got := (color.RGBA{row[x*3], row[x*3+1], row[x*3+2], 255}); got != want {
					if bad++; bad < 5 {
						t.Errorf("at scale %d pixel %d,%d is %v, want %v", scale, x, y, got, want)
					}
				}
			}
		})
		if bad > 0 {
			t.Errorf("at scale %d %d pixels are wrong", scale, bad)
		}
	}
}

func narrow(n int) string {
	return strings.Replace(bands(n, ""), "<style>", "<style>html{width:48px}", 1)
}

func TestWidePagesAreWhole(t *testing.T) {
	t.Parallel()
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>Wide</title><style>*{margin:0}div{height:900px;width:3000px;background:linear-gradient(90deg,rgb(255,0,0) 1280px,rgb(0,0,255) 1280px)}</style><div></div>`,
		"/too": `<!DOCTYPE html><title>Wide</title><style>*{margin:0}div{height:900px;width:9000px;background:green}</style><div></div>`})
	img := capture(t, s.URL+"/").picture()
	if img.Bounds().Dx() != 3000 {
		t.Fatalf("the picture is %v", img.Bounds())
	}
	for x, want := range map[int]uint32{100: 0xffff, 1279: 0xffff, 1281: 0, 2999: 0} {
		if r, _, _, _ := img.At(x, 850).RGBA(); r != want {
			t.Errorf("at %d red is %x", x, r)
		}
	}
	c := capture(t, s.URL+"/too")
	c.want(candor.Partial, "truncated")
	if img := c.picture(); img.Bounds().Dx() != 4*1280 {
		t.Errorf("the picture is %v", img.Bounds())
	}
}

// A fault of the browser is played by whitening rows of the finished picture.
func TestBlankPartsOfAPictureAreTakenAgain(t *testing.T) {
	var page strings.Builder
	page.WriteString(`<!DOCTYPE html><title>Text</title><body>`)
	for i := range 60 {
		fmt.Fprintf(&page, "<p>Line %d of the minutes of the council</p>", i)
	}
	s := site(t, map[string]any{"/": page.String()})
	p := opened(t, s.URL+"/", viewportOf(candor.Desktop))
	ctx := t.Context()
	e, _, err := p.shoot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p.extent = e
	whole, err := os.ReadFile(filepath.Join(p.dir, screenshotName))
	if err != nil {
		t.Fatal(err)
	}
	p.words(ctx, e)
	before := len(p.m.Steps)
	p.checkPainted(ctx, *p.layout)
	if len(p.m.Steps) != before || len(p.doubts.gaps) > 0 {
		t.Fatalf("a whole picture is doubted: %+v %+v", p.m.Steps[before:], p.doubts.gaps)
	}

	var b bytes.Buffer
	w, err := picture.NewWriter(&b, e.width, e.height)
	if err != nil {
		t.Fatal(err)
	}
	p.rows(t, func(y int, row []byte) {
		if y >= 512 && y < 1024 {
			row = bytes.Repeat([]byte{255}, len(row))
		}
		if err := w.Row(row); err != nil {
			t.Fatal(err)
		}
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, screenshotName), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	faulty := picture.NewSurvey(e.width, e.height, p.survey.Cell(), p.survey.Cell())
	if err := faulty.Read(&b); err != nil {
		t.Fatal(err)
	}
	p.survey = faulty
	p.checkPainted(ctx, *p.layout)
	if last := p.m.Steps[len(p.m.Steps)-1]; last.Name != "painted" || last.Outcome != candor.StepDone || !strings.Contains(last.Detail, "taken again") {
		t.Errorf("the step is %+v", last)
	}
	if len(p.doubts.gaps) > 0 {
		t.Errorf("gaps %+v", p.doubts.gaps)
	}
	f, err := os.Open(filepath.Join(p.dir, screenshotName))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if d, err := picture.Compare(bytes.NewReader(whole), f, picture.CompareOptions{}); err != nil || d.Differing > 0 {
		t.Errorf("the picture was not made good: %+v, %v", d, err)
	}
}

func TestWhatShouldShowButDoesNotIsFlagged(t *testing.T) {
	t.Parallel()
	lid := `<div style="position:absolute;left:0;top:0;width:100%;height:400px;background:white;pointer-events:none"></div>`
	text := `<p style="font-size:40px">Notice of a public hearing</p><p style="margin-top:500px">More below</p>`
	s := site(t, map[string]any{
		"/under":  `<!DOCTYPE html><title>x</title>` + text + lid,
		"/turned": `<!DOCTYPE html><title>x</title><p style="backface-visibility:hidden;transform:rotateY(180deg)">Its back is not seen</p><p style="margin-top:200px">More below</p>`,
		"/white":  `<!DOCTYPE html><title>x</title><p style="color:white">unseen words for machines</p><p style="margin-top:200px">More below</p>`,
	})
	c := capture(t, s.URL+"/under")
	i := slices.IndexFunc(c.Gaps, func(g candor.Gap) bool { return g.Code == candor.GapBlank })
	if i < 0 || !strings.Contains(c.Gaps[i].Text, "blank at") {
		t.Fatalf("gaps %+v, steps %+v", c.Gaps, c.Steps)
	}
	var x, y, w, h float64
	if _, err := fmt.Sscanf(c.Gaps[i].Detail, "%f,%f,%f,%f", &x, &y, &w, &h); err != nil || y > 60 || y+h < 80 || y+h > 640 {
		t.Errorf("the region is %q", c.Gaps[i].Detail)
	}
	capture(t, s.URL+"/white").want(candor.Complete, "")
	capture(t, s.URL+"/turned").want(candor.Complete, "")
}

// Chrome shifts such a page when the picture beyond the view is the view's size.
func TestPageFromRightToLeftIsWhereItIs(t *testing.T) {
	s := site(t, map[string]any{"/": `<!DOCTYPE html><html dir="rtl"><title>x</title><style>body{margin:0}div{width:100px;height:100px;background:rgb(255,0,0)}</style><div></div><p>text</p>`})
	c := capture(t, s.URL)
	c.want(candor.Complete, "")
	for x, red := range map[int]bool{1170: false, 1190: true, 1270: true} {
		if _, g, _, _ := c.picture().At(x, 50).RGBA(); (g == 0) != red {
			t.Errorf("red at %d: %v, want %v", x, g == 0, red)
		}
	}
	o := &session{m: &candor.Manifest{Viewport: candor.Viewport{Width: 1280, Height: 800}}}
	e := extent{width: 1280, height: 1600}
	for y := 0; y < e.height; y += o.portion(e, y, 800) {
		if o.portion(e, y, 800) == 800 {
			t.Error("a part of the page has the view's size")
		}
	}
}

// A page that shrinks its header when it is resized is photographed as it then is.
func TestPictureThatMovesThePageIsTakenAgain(t *testing.T) {
	head := `<header style="height:200px;background:rgb(255,0,0)"></header>`
	after := `<script>addEventListener('resize', () => setTimeout(() => { document.querySelector('header').style.background = 'rgb(0,0,255)'; }, 1));</script>`
	still := `<script>addEventListener('resize', () => { const h = document.querySelector('header'); h.style.height = '50px'; h.style.height = '200px'; });</script>`
	s := site(t, map[string]any{"/": bands(30, head+after), "/still": bands(30, head+still)})
	c := capture(t, s.URL+"/")
	c.want(candor.Complete, "")
	step := c.Steps[slices.IndexFunc(c.Steps, func(s candor.Step) bool { return s.Name == "screenshot" })]
	if !strings.Contains(step.Detail, "moved the page") || !strings.Contains(step.Detail, "taken again") {
		t.Errorf("the step is %+v", step)
	}
	if _, _, b, _ := c.picture().At(10, 10).RGBA(); b != 0xffff {
		t.Error("the picture shows the page as it was before it was moved")
	}
	c = capture(t, s.URL+"/still")
	step = c.Steps[slices.IndexFunc(c.Steps, func(s candor.Step) bool { return s.Name == "screenshot" })]
	if step.Detail != "" {
		t.Errorf("a page that ends up as it was: %+v", step)
	}
}

func TestSettlingIsRecordedStepByStep(t *testing.T) {
	inner := `<!DOCTYPE html><img src="/pic.png">`
	s := site(t, map[string]any{"/": `<!DOCTYPE html><title>x</title><img src="/pic.png"><iframe src="/inner"></iframe><p>text</p>`, "/inner": inner, "/pic.png": pngHandler})
	far := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	s2 := site(t, map[string]any{"/": `<!DOCTYPE html><title>x</title><iframe src="` + far + `/inner"></iframe><p>text</p>`})
	names := func(c captured) (out []string) {
		for _, st := range c.Steps {
			out = append(out, st.Name)
		}
		return out
	}
	want := []string{"navigate", "load", "network_quiet", "fonts", "images", "height", "frames"}
	c := capture(t, s.URL+"/")
	if got := names(c); !slices.Equal(got[:len(want)], want) {
		t.Errorf("steps %v", got)
	}
	if d := c.Steps[4].Detail; d != "2 images" {
		t.Errorf("images of the page and its frame: %q", d)
	}
	if c.Steps[6].Duration == 0 {
		t.Error("the frames took no time")
	}
	c = capture(t, s2.URL+"/", scrolling)
	if got := names(c); !slices.Contains(got, "scroll") || !slices.Contains(got, "height_after_scroll") {
		t.Errorf("steps %v", got)
	}
	if d := c.Steps[4].Detail; d != "1 images" {
		t.Errorf("images of another site's frame: %q", d)
	}
}

func pngHandler(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "image/png")
	png.Encode(w, image.NewNRGBA(image.Rect(0, 0, 40, 30)))
}
