package behaviour

import (
	"slices"
	"testing"

	"github.com/candor-archive/candor"
)

// page is what an ordinary visit would have seen, with changes.
func page(change func(*Seen)) *Seen {
	s := &Seen{Asked: "https://city.example/news/1", Final: "https://city.example/news/1", Status: 200, HTML: true, Title: "News | City of Example",
		Text: "Words of the page", Content: 30, Walked: 40, Count: 40, Drawn: true}
	if change != nil {
		change(s)
	}
	return s
}

func words(s *Seen, n int) { s.Content, s.Walked, s.Count = n, n+10, n+10 }

func TestObstaclesAreToldFromContent(t *testing.T) {
	for name, c := range map[string]struct {
		seen *Seen
		want candor.GapCode // empty: content
	}{
		"plain page":                              {page(nil), ""},
		"login link in the menu":                  {page(func(s *Seen) { s.Text = "Log in\nSign up\nNews\nThe library opens at nine" }), ""},
		"sign-in form in the bar of a short page": {page(func(s *Seen) { s.Password = "bar"; words(s, 12) }), ""},
		"sign-in form beside real content":        {page(func(s *Seen) { s.Password = "main"; words(s, 160) }), ""},
		"article about captchas": {page(func(s *Seen) {
			s.Title, s.Headings = "Why sites ask you to verify you are human | The Gazette", []string{"Why sites ask you to verify you are human"}
			s.Text = "Please verify you are human: complete the CAPTCHA. Checking your browser before accessing. Access denied."
			words(s, 350)
		}), ""},
		"short note on captchas": {page(func(s *Seen) { s.Text = "The form will ask you to solve the captcha before it is sent."; words(s, 60) }), ""},
		"page not found policy": {page(func(s *Seen) {
			s.Title, s.Headings, s.Text = "Page not found policy | City of Example", []string{"Page not found policy"}, "What we do when a page was not found"
		}), ""},
		"404 in the news":              {page(func(s *Seen) { s.Title = "Police receive 404 calls in one night | City"; words(s, 40) }), ""},
		"road closed, access denied":   {page(func(s *Seen) { s.Title = "Access to Main Street denied until Friday | City"; words(s, 40) }), ""},
		"asked too often, in a report": {page(func(s *Seen) { s.Text = "The website had too many requests in May"; words(s, 90) }), ""},
		"moved within the site":        {page(func(s *Seen) { s.Final = "https://www.city.example/news/one" }), ""},
		"login help":                   {page(func(s *Seen) { s.Final = "https://city.example/login-help" }), ""},
		"cookie banner":                {page(func(s *Seen) { s.Overlay.Text, s.Overlay.Covers = "We use cookies. Accept all", 33 }), ""},
		"picture with scripts":         {page(func(s *Seen) { s.Scripts, s.Text, s.Title = true, "", ""; words(s, -10) }), ""},
		"blank page without scripts":   {page(func(s *Seen) { s.Drawn, s.Text = false, ""; words(s, -10) }), ""},
		"plain text":                   {page(func(s *Seen) { s.HTML = false; s.Text = "Too many requests" }), ""},
		"honest 404":                   {page(func(s *Seen) { s.Status, s.Title = 404, "Page not found | City" }), ""},
		"application in a frame":       {page(func(s *Seen) { s.Password = "main"; s.Content, s.Walked, s.Count = 20, 30, 600 }), ""},

		"sent to sign in":          {page(func(s *Seen) { s.Final = "https://city.example/accounts/login/?next=/news/1" }), candor.GapLoginWall},
		"sent to another host":     {page(func(s *Seen) { s.Final = "https://sso.example/oauth2/authorize?x" }), candor.GapLoginWall},
		"sent to iniciar sesión":   {page(func(s *Seen) { s.Final = "https://city.example/iniciar-sesion" }), candor.GapLoginWall},
		"password and little else": {page(func(s *Seen) { s.Password = "main"; words(s, 25) }), candor.GapLoginWall},
		"called sign in":           {page(func(s *Seen) { s.Password, s.Title = "main", "Sign in to your account – City"; words(s, 150) }), candor.GapLoginWall},
		"called in Spanish":        {page(func(s *Seen) { s.Password, s.Title = "main", "Inicie sesión | Ciudad"; words(s, 120) }), candor.GapLoginWall},
		"asked in words":           {page(func(s *Seen) { s.Text = "You must log in to continue."; words(s, 10) }), candor.GapLoginWall},
		"asked in Spanish":         {page(func(s *Seen) { s.Text = "Debe iniciar sesión para ver esta página."; words(s, 10) }), candor.GapLoginWall},
		"401 with a form":          {page(func(s *Seen) { s.Status, s.Password = 401, "main" }), candor.GapLoginWall},
		"over the page": {page(func(s *Seen) {
			s.Overlay.Text, s.Overlay.Covers = "Log in to see more. Continue with Google", 56
			words(s, 300)
		}), candor.GapLoginWall},

		"just a moment":   {page(func(s *Seen) { s.Status, s.Title = 403, "Just a moment..." }), candor.GapChallenge},
		"un momento":      {page(func(s *Seen) { s.Title = "Un momento…" }), candor.GapChallenge},
		"are you a robot": {page(func(s *Seen) { s.Headings = []string{"Are you a robot?"} }), candor.GapChallenge},
		"verify, few words": {page(func(s *Seen) {
			s.Text = "City.example. Verify you’re human by completing the action below."
			words(s, 20)
		}), candor.GapChallenge},
		"verifique":            {page(func(s *Seen) { s.Text = "Verifique que usted es un ser humano"; words(s, 20) }), candor.GapChallenge},
		"frame":                {page(func(s *Seen) { s.Frames = []string{"https://challenges.cloudflare.com/cdn-cgi/x"}; words(s, 5) }), candor.GapChallenge},
		"denied":               {page(func(s *Seen) { s.Status, s.Title = 403, "Access Denied" }), candor.GapBlocked},
		"blocked":              {page(func(s *Seen) { s.Headings = []string{"Sorry, you have been blocked"} }), candor.GapBlocked},
		"acceso denegado":      {page(func(s *Seen) { s.Headings = []string{"Acceso denegado"} }), candor.GapBlocked},
		"not in your country":  {page(func(s *Seen) { s.Text = "This content is not available in your country."; words(s, 9) }), candor.GapBlocked},
		"429":                  {page(func(s *Seen) { s.Status = 429; words(s, 500) }), candor.GapRateLimited},
		"too many with 200":    {page(func(s *Seen) { s.Title = "Too Many Requests" }), candor.GapRateLimited},
		"demasiadas":           {page(func(s *Seen) { s.Headings = []string{"Demasiadas solicitudes"} }), candor.GapRateLimited},
		"soft 404":             {page(func(s *Seen) { s.Title = "Page not found | City of Example" }), candor.GapSoftMissing},
		"soft 404 with much":   {page(func(s *Seen) { s.Title, s.Headings = "404 Not Found - City", []string{"Page not found"}; words(s, 300) }), candor.GapSoftMissing},
		"página no encontrada": {page(func(s *Seen) { s.Headings = []string{"Página no encontrada"} }), candor.GapSoftMissing},
		"empty application":    {page(func(s *Seen) { s.Drawn, s.Scripts, s.Text = false, true, ""; words(s, -10) }), candor.GapEmpty},
		"forever loading": {page(func(s *Seen) {
			s.Drawn, s.Scripts, s.Text = false, true, "Cargando…"
			s.Content, s.Walked, s.Count = 1, 1, 1
		}), candor.GapEmpty},
		"consent wall": {page(func(s *Seen) {
			s.Overlay.Text, s.Overlay.Covers, s.Overlay.Locked = "Your privacy. We and 812 partners", 100, true
			words(s, 300)
		}), candor.GapBlocked},
		"before you continue": {page(func(s *Seen) { s.Title = "Before you continue to YouTube" }), candor.GapBlocked},

		"Facebook": {page(func(s *Seen) { s.Final = "https://www.facebook.com/login/?next=x" }), candor.GapLoginWall},
		"Facebook gone": {page(func(s *Seen) {
			s.Final, s.Text = "https://www.facebook.com/x", "This content isn't available right now"
			s.Headings = nil
		}), candor.GapSoftMissing},
		"Instagram": {page(func(s *Seen) {
			s.Final, s.Text = "https://www.instagram.com/p/x/", "Please wait a few minutes before you try again."
		}), candor.GapRateLimited},
		"LinkedIn":     {page(func(s *Seen) { s.Final = "https://www.linkedin.com/authwall?trk=x" }), candor.GapLoginWall},
		"LinkedIn 999": {page(func(s *Seen) { s.Final, s.Status = "https://www.linkedin.com/company/x", 999 }), candor.GapRateLimited},
		"X":            {page(func(s *Seen) { s.Final, s.Headings = "https://x.com/", []string{"Happening now", "Join today."} }), candor.GapLoginWall},
		"consent host": {page(func(s *Seen) { s.Final = "https://consent.youtube.com/m?x" }), candor.GapBlocked},
	} {
		t.Run(name, func(t *testing.T) {
			g, ok := Default().Obstacle(c.seen)
			if ok != (c.want != "") || g.Code != c.want {
				t.Fatalf("got %+v (%v), want %q", g, ok, c.want)
			}
			if over := slices.Contains([]string{"over the page", "consent wall"}, name); ok && (g.Text == "" || g.Fatal == over) {
				t.Errorf("the gap is %+v", g)
			}
		})
	}
}

func TestAPhraseOfOnePlatformMeansNothingElsewhere(t *testing.T) {
	s := page(func(s *Seen) { s.Text = "See more on Facebook. We restrict certain activity." })
	if g, ok := Default().Obstacle(s); ok {
		t.Errorf("%+v on a city's page", g)
	}
}
