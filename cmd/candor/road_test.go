package main

import (
	"archive/zip"
	"io"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/fixtures"
	"github.com/candor-archive/candor/portal/auth"
)

// What people of the pretend city write in its story.
const (
	angryWords  = "nobody knocks on a single door"
	answerWords = "going door to door now"
	spamWords   = "CHEAP bottled water delivered TODAY"
)

// TestTheWholeRoad walks from a post that appears on a platform to the records
// a citizen downloads, through the real program and real browsers: the archive
// notices a comment its author deletes, the public no longer finds it, a citizen
// asks for it in Spanish, a clerk finds it from inside the request, a second
// person approves, and the citizen gets the words, the picture and the proof.
func TestTheWholeRoad(t *testing.T) {
	city, err := fixtures.Start(t.Context(), fixtures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer city.Close()
	play := func(acts int) {
		for range acts {
			if _, more := city.Controller().Act(); !more {
				t.Fatal("the city's story is over")
			}
		}
	}
	dir := newArchive(t, city, false)
	hire(t, dir, "clerk@larkspur.example", candor.Clerk)
	hire(t, dir, "officer@larkspur.example", candor.Officer)
	s := serve(t, dir, "--allow-private")
	clerk := newVisitor(t, "clerk", s.url, "en")
	clerk.signIn("clerk@larkspur.example", staffPassword)
	staffSee := func(state, words string) {
		t.Helper()
		s.until(3*time.Minute, "staff see "+state+": "+words, func() bool {
			clerk.open("/staff/archive?state=" + state + "&q=" + url.QueryEscape(`"`+words+`"`))
			return clerk.count("main a[href^='/staff/records/']") > 0
		})
	}

	// A post about a water main appears, with comments, an angry one among them, and answers. It is captured.
	play(6)
	staffSee("live", angryWords)
	staffSee("live", answerWords)
	var post string
	link := regexp.MustCompile(`href="(/archive/[a-z0-9]+)[?"]`)
	s.until(4*time.Minute, "the water-main post is in the public archive with its picture", func() bool {
		_, found := s.get("/archive?kind=post&q=" + url.QueryEscape(`"water main break"`))
		m := link.FindStringSubmatch(found)
		if m == nil {
			return false
		}
		post = m[1]
		_, record := s.get(post)
		return strings.Contains(record, "/screenshot.png")
	})

	// The post is corrected, the angry comment deleted by its author, an advertisement posted and then hidden by the
	// department. Staff have all of it, the public none of what was withdrawn.
	play(3)
	staffSee("deleted", angryWords)
	staffSee("live", spamWords)
	play(1)
	staffSee("hidden", spamWords)
	for _, words := range []string{angryWords, spamWords} {
		if _, found := s.get("/archive?q=" + url.QueryEscape(`"`+words+`"`)); link.MatchString(found) {
			t.Errorf("the public archive finds %q, which was withdrawn", words)
		}
	}
	s.until(4*time.Minute, "the corrected post has a picture everyone may see", func() bool {
		_, record := s.get(post)
		return strings.Contains(record, "/screenshot.png") && !strings.Contains(record, angryWords)
	})

	// A citizen asks, in Spanish, on a phone.
	citizen := newVisitor(t, "citizen", s.url, "es-MX")
	citizen.open("/requests/new")
	citizen.wants("solicitud")
	citizen.write("#text", "Quiero el comentario que un vecino borró de la publicación sobre la rotura de tubería en Pecan, y la respuesta de la policía.")
	citizen.press("button[name=go][value=next]")
	citizen.press("button[name=go][value=next]")
	citizen.write("#email", "vecina@correo.example")
	citizen.press("button[name=go][value=next]")
	citizen.wants("vecina@correo.example")
	citizen.press("button[name=go][value=send]")
	number := citizen.text(".receipt-number")
	if !regexp.MustCompile(`^LPD-\d{4}-\d{6}$`).MatchString(number) {
		t.Fatalf("the receipt's number is %q", number)
	}
	private := citizen.text(".private-link")
	if !strings.HasPrefix(private, s.url+"/r/") {
		t.Fatalf("the private link is %q", private)
	}
	for _, path := range []string{"/my-request", "/requests/" + number, "/my-request/dates"} {
		if _, page := s.get(path); strings.Contains(page, "rotura de tubería") || strings.Contains(page, "vecina@") {
			t.Errorf("a stranger without the link sees the request at %s", path)
		}
	}

	// The clerk takes it on, searches the archive from inside it, and marks both records.
	clerk.open("/staff/requests")
	clerk.wants(number)
	clerk.follow(number)
	clerk.wants("borró de la publicación")
	clerk.press("form[action$='/accept'] button")
	for _, words := range []string{angryWords, answerWords, `"Corrected: it is 6th Street"`} {
		clerk.clear("#q")
		clerk.write("#q", words)
		clerk.press("form[role=search] button")
		clerk.tick("rec0")
		clerk.press("form[action$='/mark'] button")
	}
	clerk.press("form#propose button")
	clerk.open(clerk.address() + "/decide")
	if clerk.count("form[action$='/approve']") != 0 {
		t.Error("who prepared a release may approve it")
	}

	// A second person approves, and it is released.
	officer := newVisitor(t, "officer", s.url, "en")
	officer.signIn("officer@larkspur.example", staffPassword)
	officer.open(strings.TrimPrefix(clerk.address(), s.url))
	officer.wants(number)
	officer.press("form[action$='/approve'] button")
	citizen.open("/my-request")
	if citizen.count("a[href*='/bundles/']") != 0 {
		t.Error("the requester can download what is not released yet")
	}
	officer.open(strings.TrimSuffix(clerk.address(), "/decide"))
	officer.press("form[action$='/release'] button")

	// The mail is in the outbox, in the citizen's language.
	officer.open("/staff/outbox")
	officer.wants("vecina@correo.example", number)

	// The citizen comes back by the private link and downloads.
	again := newVisitor(t, "citizen at another browser", s.url, "es-MX")
	again.open(private)
	if strings.Contains(again.address(), "/r/") {
		t.Error("the secret stays in the address bar")
	}
	bundle := again.downloads("a[href*='/bundles/']")
	checkBundle(t, bundle)

	officer.open(strings.TrimSuffix(clerk.address(), "/decide") + "/close")
	officer.tick("d-released_full")
	officer.press("form[action$='/close'] button:not(.usa-button--unstyled)")
	again.open("/my-request")
	again.wants("Completada")

	// The archive is sound while it runs, and after it stopped.
	if out, errs, code := command(t, "verify", "--data", dir); code != 0 || !strings.Contains(out, "sound") {
		t.Errorf("verify beside the running program: exit %d\n%s%s", code, out, errs)
	}
	s.stop()
	out, errs, code := command(t, "verify", "--data", dir)
	if code != 0 || !strings.Contains(out, "sound") {
		t.Errorf("verify: exit %d\n%s%s", code, out, errs)
	}
	t.Log(strings.TrimSpace(out))
	if strings.Contains(s.logged(), "DATA RACE") {
		t.Error("the race detector spoke:\n" + s.logged())
	}
}

const staffPassword = "a quiet creek behind the library"

// hire adds a member of staff.
func hire(t *testing.T, dir, email string, role candor.Role) {
	t.Helper()
	store := openArchive(t, dir)
	defer store.Close()
	err := store.CreateUser(t.Context(), candor.User{ID: candor.NewID(), Email: email, Name: string(role), Roles: []candor.Role{role},
		PasswordHash: auth.HashPassword(staffPassword), Language: "en", CreatedAt: candor.Moment(time.Now())}, "test")
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheSampleSaysHowToSignIn starts the pretend city as a newcomer does.
func TestTheSampleSaysHowToSignIn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "archive")
	s := serve(t, dir, "--sample", "--capture-workers", "0")
	password := regexp.MustCompile(`password for all of them:\s+(\S+)`).FindStringSubmatch(s.said())
	if password == nil {
		t.Fatalf("no sample logins were printed: %s", s.said())
	}
	v := newVisitor(t, "newcomer", s.url, "en")
	v.signIn("officer@larkspur.example", password[1])
	s.until(2*time.Minute, "the city's posts are in the archive", func() bool {
		_, found := s.get("/archive?kind=post")
		return strings.Contains(found, "Larkspur Police Department")
	})
	s.stop()
}

// checkBundle opens what the citizen got: the deleted comment's words, the
// answer, a picture, and hashes that fit.
func checkBundle(t *testing.T, path string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatalf("open the bundle: %v", err)
	}
	defer z.Close()
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			t.Fatalf("read %s from the bundle: %v", f.Name, err)
		}
		files[f.Name] = b
	}
	var pictures, sums int
	var twin string
	for name, b := range files {
		if strings.HasSuffix(name, ".png") && len(b) > 10_000 {
			pictures++
		}
		if strings.HasSuffix(name, "index.html") {
			twin = string(b)
		}
		if strings.HasSuffix(name, "SHA256SUMS") {
			for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
				want, file, ok := strings.Cut(line, "  ")
				if !ok || candor.SHA256(files[filepath.Join(filepath.Dir(name), file)]) != want {
					t.Errorf("SHA256SUMS: %q does not fit", line)
				}
				sums++
			}
		}
	}
	if pictures == 0 || sums < 4 {
		t.Errorf("%d pictures and %d sums among %d files", pictures, sums, len(files))
	}
	for _, words := range []string{angryWords, answerWords} {
		if !strings.Contains(twin, words) {
			t.Errorf("the text twin does not hold %q", words)
		}
	}
}
