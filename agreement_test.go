package candor

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var (
	chicago = func() *time.Location {
		zone, err := time.LoadLocation("America/Chicago")
		if err != nil {
			panic(err)
		}
		return zone
	}()
	taken = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
)

const (
	closure    = "Pecan Street is closed between 3rd and 5th until Friday. Crews are on site."
	closureOld = "Pecan Street is closed between 4th and 6th until Friday. Crews are on site."
)

// told makes the root of a thread and its comments. The root was posted three
// hours before the picture was taken.
func told(text string, comments ...Told) (Told, []Told) {
	for i := range comments {
		comments[i].ID = fmt.Sprint("c", i)
		if comments[i].Kind == "" {
			comments[i].Kind = Comment
		}
		if comments[i].State == "" {
			comments[i].State = Live
		}
	}
	return Told{ID: "root", Kind: Post, Author: "Larkspur Police", State: Live, PostedAt: taken.Add(-3 * time.Hour), Wordings: []string{text}}, comments
}

func by(author string, wordings ...string) Told { return Told{Author: author, Wordings: wordings} }

func (t Told) as(s RecordState) Told { t.State = s; return t }

func seen(words ...string) Screen {
	return Screen{Words: strings.Join(words, "\n"), At: taken, Zone: chicago}
}

// said lists what a comparison found, as words for a table.
func (a Agreement) said() string {
	var out []string
	for _, f := range a.Findings {
		out = append(out, string(f.Kind)+" "+f.RecordID)
	}
	return strings.Join(out, ", ")
}

func TestAPostIsFoundHoweverItIsDrawn(t *testing.T) {
	for name, c := range map[string]struct {
		text, screen string
		want         Match
		share        int
	}{
		"as it is":                        {closure, closure, MatchFound, 100},
		"other white space":               {"Road closed.\n\nUse Live Oak.", "Road\tclosed.\nUse \u00a0Live\u200b Oak.", MatchFound, 100},
		"capitals by style":               {"Rotura de tubería en Pecan, ¡mañana!", "ROTURA DE TUBERÍA EN PECAN, ¡MAÑANA!", MatchFound, 100},
		"capitals with sharp s":           {"Die Straße bleibt gesperrt", "DIE STRASSE BLEIBT GESPERRT", MatchFound, 100},
		"typographic quotes":              {`"Don't" drive - please`, "“Don’t” drive – please", MatchFound, 100},
		"entities":                        {"Fire &amp; Rescue says &quot;thanks&quot; &#39;all&#39;", "Fire & Rescue says \"thanks\" 'all'", MatchFound, 100},
		"words about entities":            {"Write &amp; for an ampersand in HTML", "Write &amp; for an ampersand in HTML", MatchFound, 100},
		"emoji as pictures":               {"Road 🚧 closed 👮🏽‍♀️ until 3️⃣ ℹ️ Friday ❤️", "Road closed until Friday", MatchFound, 100},
		"accents as marks":                {"Tuber\u00eda rota en la ma\u00f1ana", "Tuberi\u0301a rota en la man\u0303ana", MatchFound, 100},
		"a link shortened":                {"Details: https://larkspurtx.example/news/2026/pecan-closure?ref=fb and at city hall today", "Details: larkspurtx.example/news/20… and at city hall today", MatchFound, 100},
		"a link left out":                 {"Details and map: https://larkspurtx.example/news Call 555-0140", "Details and map: Call 555-0140", MatchFound, 100},
		"a link at the end":               {"Read the whole story www.larkspurtx.example/story", "Read the whole story", MatchFound, 100},
		"a link without a scheme":         {"The policy is at larkspurtx.example/police/policy for all to read", "The policy is at larkspurtx.example/pol… for all to read", MatchFound, 100},
		"cut by an ellipsis":              {closure, "Pecan Street is closed between 3rd… See more", MatchCut, 43},
		"cut by three dots within a word": {closure, "Pecan Street is closed between 3rd and 5th unt...", MatchCut, 62},
		"cut by a button":                 {"La calle Pecan está cerrada entre la calle 3 y la 5 hasta el viernes", "La calle Pecan está cerrada\nVer más", MatchCut, 33},
		"cut by a limit on lines":         {closure, "Pecan Street is closed between\n12 comments\nLike", MatchUnknown, 31},
		"one word differs":                {closure, strings.Replace(closure, "Friday", "Monday", 1), MatchPart, 93},
		"the last word differs":           {"Pecan Street is closed until Friday", "Pecan Street is closed until Monday", MatchPart, 83},
		"a word came in":                  {closure, strings.Replace(closure, "is closed", "is not closed", 1), MatchPart, 100},
		"a sentence went":                 {closure + " Please stay away from the hole, for it is deep.", strings.Replace(closure, "closed ", "closed today ", 1), MatchPart, 61},
		"not there":                       {closure, "This content isn't available right now. The owner may have removed it.", MatchAbsent, 0},
		"drawn in another language":       {closure, "La calle Pecan está cerrada. Ver original · Calificar esta traducción", MatchUnknown, 0},
		"a title and its text":            {"Pecan Street\n\n" + closure, "Pecan Street\n1,204 views · Like · Share\n" + closure, MatchFound, 100},
		"the choices of a poll":           {"Which park shall be first?\n\nPoll:\n- Mercer Bayou\n- Live Oak", "Which park shall be first?\nMercer Bayou\n62%\nLive Oak\n38%", MatchFound, 100},
		"behind a warning":                {"Crash photos\n" + closure, "Crash photos\nSHOW MORE", MatchUnknown, 0},
		"a short post":                    {"Gracias, vecinos", "Gracias, vecinos", MatchFound, 100},
		"a short post, not there":         {"Thank you!", "Something else is here", MatchUnknown, 0},
		"no words":                        {"❤️❤️", "Anything", MatchUnknown, 0},
		"only a link":                     {"https://larkspurtx.example/x", "Anything", MatchUnknown, 0},
		"nothing on the page":             {closure, "", MatchUnknown, 0},
		"signs without spaces":            {"道路は金曜日まで閉鎖", "道路は金曜日まで閉鎖。", MatchFound, 100},
		"not text":                        {"Road \xff\xfe closed", "Road closed \xff", MatchFound, 100},
	} {
		t.Run(name, func(t *testing.T) {
			root, _ := told(c.text)
			screen := seen("Larkspur Police", "3 h · Public", c.screen)
			if c.screen == "" {
				screen.Words = ""
			}
			a := CompareScreen(screen, root, nil)
			if a.Words != c.want || c.share > 0 && a.Share != c.share {
				t.Errorf("%s, %d%%; want %s, %d%%: %+v", a.Words, a.Share, c.want, c.share, a.Findings)
			}
			speaks := c.want == MatchPart || c.want == MatchAbsent
			if (a.Mismatches > 0) != speaks {
				t.Errorf("mismatches: %s", a.said())
			}
		})
	}
}

func TestWhatDiffersIsQuotedOnBothSides(t *testing.T) {
	lead := strings.Repeat("The department thanks every neighbor who called. ", 20)
	root, _ := told(lead + closure)
	a := CompareScreen(seen("Larkspur Police", lead+strings.Replace(closure, "Friday", "Monday", 1), "Like", "Comment"), root, nil)
	if len(a.Findings) != 1 {
		t.Fatalf("findings %+v", a.Findings)
	}
	f := a.Findings[0]
	if !strings.Contains(f.Data, "until Friday.") || !strings.Contains(f.Screen, "until Monday.") || strings.Contains(f.Screen, "Like") ||
		len([]rune(f.Data)) > quoteLength+4 || !strings.HasPrefix(f.Data, "… ") {
		t.Errorf("quoted %q and %q", f.Data, f.Screen)
	}
}

func TestTheAuthorIsLookedFor(t *testing.T) {
	root, _ := told(closure)
	for screen, want := range map[string]Match{
		"LARKSPUR POLICE\n3 h\n" + closure:        MatchFound,
		"@larkspurpd · 3h\n" + closure:            MatchFound,
		"Larkspur Pol…\n3 h\n" + closure:          MatchUnknown,
		"Chief of Police\n3 h\n" + closure:        MatchUnknown,
		"Harbor District News\n3 h\n" + closure:   MatchAbsent,
		"Harbor District News\nanother post":      MatchUnknown,
		closure + "\nposted by\nLarkspur  Police": MatchFound,
	} {
		root.Also = []string{"larkspurpd"}
		if a := CompareScreen(seen(screen), root, nil); a.Author != want {
			t.Errorf("%q: %s, want %s", screen, a.Author, want)
		}
	}
	root.Author, root.Also = "", nil
	if a := CompareScreen(seen(closure), root, nil); a.Author != MatchUnknown {
		t.Errorf("an author who is withheld: %s", a.Author)
	}
}

func TestTimesAreReadAsPlatformsDrawThem(t *testing.T) {
	at := func(s string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04", s, chicago)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	now := "2026-11-23 08:00" // in Chicago, when the picture was taken
	for _, c := range []struct {
		posted, drawn string
		want          Match
	}{
		{"2026-11-23 04:40", "3 h", MatchFound}, {"2026-11-23 04:40", "3h", MatchFound}, {"2026-11-23 04:40", "3 hrs", MatchFound},
		{"2026-11-23 04:20", "4 hours ago", MatchFound}, {"2026-11-23 04:40", "hace 3 h", MatchFound}, {"2026-11-23 04:40", "Hace 3 horas", MatchFound},
		{"2026-11-23 02:00", "3 h", MatchAbsent}, {"2026-11-23 03:10", "3 h", MatchUnknown}, {"2026-11-20 02:00", "hace 3 h", MatchAbsent},
		{"2026-11-21 05:00", "2d", MatchFound}, {"2026-11-21 05:00", "2 d · Edited", MatchFound}, {"2026-11-21 05:00", "hace 2 días", MatchFound},
		{"2026-11-02 05:00", "3w", MatchFound}, {"2026-11-02 05:00", "3 sem", MatchFound}, {"2026-09-20 05:00", "2 mo", MatchFound}, {"2024-10-20 05:00", "2 years ago", MatchFound},
		{"2026-11-23 07:59", "Just now", MatchFound}, {"2026-11-23 07:59", "Ahora mismo", MatchFound}, {"2026-11-23 07:59", "a few seconds ago", MatchFound},
		{"2026-11-23 07:55", "5 min", MatchFound}, {"2026-11-23 07:55", "5m", MatchFound}, {"2026-11-23 07:00", "an hour ago", MatchFound}, {"2026-11-23 07:00", "hace una hora", MatchFound},
		{"2026-11-22 15:04", "Yesterday at 3:04 PM", MatchFound}, {"2026-11-22 15:04", "Ayer a las 15:04", MatchFound}, {"2026-11-22 15:04", "Yesterday at 3:34 PM", MatchUnknown},
		{"2026-11-22 15:04", "Yesterday at 3:11 PM", MatchAbsent}, {"2026-11-20 15:04", "Yesterday at 3:04 PM", MatchAbsent},
		{"2026-11-22 15:04", "November 22 at 3:04 PM", MatchFound}, {"2026-11-22 15:04", "Nov 22", MatchFound}, {"2026-11-22 15:04", "22 de noviembre", MatchFound},
		{"2026-11-22 15:04", "22 de noviembre a las 3:04 p. m.", MatchFound}, {"2026-11-22 15:04", "22 nov. 2026", MatchFound}, {"2026-11-22 15:04", "Nov. 22, 2026", MatchFound},
		{"2025-11-22 15:04", "22 de noviembre de 2025", MatchFound}, {"2025-11-22 15:04", "November 22, 2026", MatchAbsent}, {"2026-11-22 21:04", "Nov 23, 2026", MatchFound},
		{"2026-11-22 15:04", "Nov 23", MatchUnknown}, {"2026-11-12 15:04", "Nov 22", MatchAbsent},
		{"2026-11-22 15:04", "2026-11-22T21:04:05Z", MatchFound}, {"2026-11-22 15:04", "2026-11-22 15:04", MatchFound}, {"2026-11-22 15:04", "2026-10-22", MatchAbsent},
		{"2026-11-22 15:04", "11/22/2026", MatchFound}, {"2026-11-22 15:04", "22/11/2026", MatchFound}, {"2026-11-22 15:04", "11/22/26, 3:04 PM", MatchFound}, {"2026-11-22 15:04", "7/4/2026", MatchAbsent},
		{"2026-11-22 15:04", "22.11.2026", MatchFound},
		{"2026-11-22 15:04", "Public", MatchNotShown}, {"2026-11-22 15:04", "18K followers", MatchNotShown}, {"2026-11-22 15:04", "555-0140", MatchNotShown},
		{"2026-11-01 15:04", "Edited 2d", MatchUnknown},
	} {
		root, _ := told(closure)
		root.PostedAt = at(c.posted)
		screen := seen("Larkspur Police", c.drawn, closure, "Like")
		screen.At = at(now)
		a := CompareScreen(screen, root, nil)
		if a.Posted != c.want || (a.Posted == MatchAbsent) != (a.Mismatches == 1) {
			t.Errorf("posted %s, drawn %q: %s, want %s; %s", c.posted, c.drawn, a.Posted, c.want, a.said())
		}
	}
}

func TestATimeThatMayBeAnothersIsNotHeldAgainstThePost(t *testing.T) {
	root, comments := told("The council meets November 2 at 6:00 PM in the town hall", by("Maria", "See you there, everybody"))
	for name, words := range map[string]string{
		"in the words themselves": "Larkspur Police\n" + root.Wordings[0],
		"of a comment":            "Larkspur Police\n" + root.Wordings[0] + "\nMaria\nSee you there, everybody\n9 d",
		"elsewhere":               "Sidebar: 2 weeks ago\n" + strings.Repeat("filler ", 40) + "\nLarkspur Police\n" + root.Wordings[0],
		"of a stranger":           "Harbor District\n9 d\n" + root.Wordings[0],
	} {
		if a := CompareScreen(seen(words), root, comments); a.Posted == MatchAbsent || a.Posted == MatchFound {
			t.Errorf("%s: %s", name, a.Posted)
		}
	}
}

func TestCommentsAreCounted(t *testing.T) {
	for _, c := range []struct {
		known   int
		drawn   string
		want    Match
		counted string
	}{
		{12, "12 comments", MatchFound, "12 comments"}, {12, "View all 12 comments", MatchFound, "12 comments"}, {12, "12 comentarios", MatchFound, "12 comentarios"},
		{12, "Comments (12)", MatchFound, "Comments (12)"}, {1, "1 comment", MatchFound, "1 comment"}, {1204, "1.2K comments", MatchFound, "1.2K comments"},
		{1290, "1.2K comments", MatchFound, "1.2K comments"}, {1204, "1,2 mil comentarios", MatchFound, "1,2 mil comentarios"}, {1204, "1,204 comments", MatchFound, "1,204 comments"},
		{1204, "1.204 comentarios", MatchFound, "1.204 comentarios"}, {12, "8 of 12 comments", MatchFound, "12 comments"},
		{12, "3 comments", MatchFewer, "3 comments"}, {12, "15 comments", MatchMore, "15 comments"}, {1500, "1.2K comments", MatchFewer, "1.2K comments"},
		{12, "View 3 more comments", MatchNotShown, ""}, {12, "Ver 3 comentarios más", MatchNotShown, ""}, {12, "No comments yet", MatchNotShown, ""},
		{12, "3 comments\n4 comments", MatchUnknown, ""}, {12, "94\n12 comments · 38 shares", MatchFound, "12 comments"},
	} {
		var list []Told
		for i := range c.known {
			list = append(list, by("", fmt.Sprintf("Words of the comment number %d of them", i)))
		}
		root, comments := told(closure, list...)
		a := CompareScreen(seen("Larkspur Police", "3 h", closure, c.drawn), root, comments)
		if a.Comments != c.want || a.Counted != c.counted || (a.Comments == MatchFewer) != (a.Mismatches == 1) {
			t.Errorf("%d known, drawn %q: %s, %q; want %s, %q; %d mismatches", c.known, c.drawn, a.Comments, a.Counted, c.want, c.counted, a.Mismatches)
		}
	}
}

func TestRepliesAndHiddenCommentsMayBeCountedOrNot(t *testing.T) {
	reply := Told{Kind: Reply, Author: "Ana", Wordings: []string{"I was wondering the same thing"}}
	root, comments := told(closure, by("Maria", "How long is this going to last?"), reply, by("Bo", "Cheap water delivered today").as(Hidden))
	for n, want := range map[int]Match{0: MatchFewer, 1: MatchFound, 2: MatchFound, 3: MatchFound, 4: MatchMore} {
		a := CompareScreen(seen("Larkspur Police", "3 h", closure, fmt.Sprint(n, " comments")), root, comments)
		if a.Comments != want || a.Known != 2 {
			t.Errorf("%d: %s, %d known", n, a.Comments, a.Known)
		}
	}
	root, comments = told("We read all 7 comments on the plan, every one of them")
	if a := CompareScreen(seen("Larkspur Police", "3 h", root.Wordings[0]), root, comments); a.Comments != MatchNotShown {
		t.Errorf("a number in the words of the post: %s", a.Comments)
	}
}

func TestCommentsAreHeldAgainstTheScreen(t *testing.T) {
	const question, spam = "Is the water we still have safe to drink?", "CHEAP bottled water delivered TODAY, message us now"
	top := "Larkspur Police\n3 h\n" + closure + "\n"
	for name, c := range map[string]struct {
		comments []Told
		screen   string
		says     string // findings
		counts   string // known, found, not shown, unsure, missing
	}{
		"all there": {[]Told{by("Maria", question), by("Bo", "Same question here on Jacinto Street")},
			"2 comments\nMaria\n" + question + "\n3 h\nBo\nSame question here on Jacinto Street", "", "2 2 0 0 0"},
		"a long thread": {[]Told{by("Maria", question), by("Bo", "Same question here on Jacinto Street")},
			"2 comments\nMaria\n" + question + "\nView more comments", "not_shown c1", "2 1 1 0 0"},
		"a page that does not say how many": {[]Told{by("Maria", question), by("Bo", "Same question here on Jacinto Street")},
			"Maria\n" + question, "not_shown c1", "2 1 1 0 0"},
		"one is gone, and the page counts one": {[]Told{by("Maria", question), by("Bo", "Same question here on Jacinto Street")},
			"1 comment\nMaria\n" + question, "fewer root, missing c1", "2 1 0 0 1"},
		"one is gone in Spanish, and the page counts one": {[]Told{by("Marisol", "¿Va a haber clases mañana en la primaria?"), by("Bo", "Same question here on Jacinto Street")},
			"1 comentario\nMarisol\n¿Va a haber clases mañana en la primaria?", "fewer root, missing c1", "2 1 0 0 1"},
		"short ones": {[]Told{by("Maria", "Thanks!"), by("Bo", "Thanks!"), by("", "Thanks!"), by("Ana", "❤️")},
			"Maria\nThanks!\n3 h", "", "4 1 0 3 0"},
		"hidden, and not there": {[]Told{by("Maria", question), by("Bo", spam).as(Hidden)}, "1 comment\nMaria\n" + question, "", "1 1 0 0 0"},
		"hidden, and still there": {[]Told{by("Maria", question), by("Bo", spam).as(Hidden)},
			"2 comments\nMaria\n" + question + "\nBo\n" + spam, "withdrawn c1", "1 1 0 0 0"},
		"held, and still there":                          {[]Told{by("Bo", spam).as(Held)}, "Bo\n" + spam, "withdrawn c0", "0 0 0 0 0"},
		"deleted, and still there in an earlier wording": {[]Told{by("Bo", "Something else I wrote", spam).as(Deleted)}, "Bo · 3h\n" + spam, "withdrawn c0", "0 0 0 0 0"},
		"hidden, but posted again":                       {[]Told{by("Bo", spam).as(Hidden), by("Bo", spam)}, "Bo\n" + spam, "", "1 1 0 0 0"},
		"hidden, but another says the same":              {[]Told{by("Bo", spam).as(Hidden)}, "Cleo\n" + spam, "", "0 0 0 0 0"},
		"hidden, but quoted":                             {[]Told{by("Bo", spam).as(Hidden), by("Cleo", "Someone wrote: "+spam)}, "Bo\nCleo\nSomeone wrote: " + spam, "", "1 1 0 0 0"},
		"hidden and short":                               {[]Told{by("Bo", "You liars").as(Hidden)}, "Bo\nYou liars", "", "0 0 0 0 0"},
		"hidden, by someone withheld":                    {[]Told{by("", spam).as(Hidden)}, spam, "", "0 0 0 0 0"},
		"hidden, by someone withheld, and long":          {[]Told{by("", spam+" or call the number below for half the price").as(Hidden)}, spam + " or call the number below for half the price", "withdrawn c0", "0 0 0 0 0"},
		"not known how it stood":                         {[]Told{by("Bo", spam).as(Unknown)}, "Bo\n" + spam, "", "0 0 0 0 0"},
		"an earlier wording":                             {[]Told{by("Maria", "Is the water safe to drink for a newborn child?", question)}, "1 comment\nMaria\n" + question, "old c0", "1 0 0 0 0"},
		"an earlier wording in Spanish":                  {[]Told{by("Marisol", "¿Habrá clases el lunes en la primaria?", "¿Habrá clases mañana en la primaria?")}, "1 comentario\nMarisol\n¿Habrá clases mañana en la primaria?", "old c0", "1 0 0 0 0"},
		"an earlier wording that another quotes":         {[]Told{by("Maria", "Never mind, I have asked the water office", question), by("Bo", "Maria asked: "+question)}, "Bo\nMaria asked: " + question, "not_shown c0", "2 1 1 0 0"},
		"a sentence taken out, still there":              {[]Told{by("Maria", question, question+" I live at 12 Jacinto Street")}, "Maria\n" + question + " I live at 12 Jacinto Street\nLike", "old c0", "1 0 0 0 0"},
		"a sentence taken out":                           {[]Told{by("Maria", question, question+" I live at 12 Jacinto Street")}, "Maria\n" + question + "\nLike", "", "1 1 0 0 0"},
		"an addition, cut":                               {[]Told{by("Maria", question+" Edit: they called me back", question)}, "Maria\n" + question + "… See more", "", "1 1 0 0 0"},
		"an addition, not there":                         {[]Told{by("Maria", question+" Edit: they called me back", question)}, "Maria\n" + question + "\nLike", "old c0", "1 0 0 0 0"},
		"a wording that is not known yet":                {[]Told{by("Maria", question)}, "1 comment\nMaria\nIs the water we still have at home safe to drink?", "differing c0", "1 0 0 0 0"},
		"one that resembles another of its author":       {[]Told{by("Larkspur Police", "Thank you for asking, Maria. Please call 555-0140 in the morning."), by("Larkspur Police", "Thank you for asking, Bo. Please call 555-0140 in the morning.")}, "2 comments\nLarkspur Police Author\nThank you for asking, Bo. Please call 555-0140 in the morning.", "not_shown c0", "2 1 1 0 0"},
		"one that resembles what a long thread shows":    {[]Told{by("Larkspur Police", "Thank you for asking, Maria. Please call 555-0140 in the morning.")}, "Larkspur Police Author\nThank you for asking, Cleo. Please call 555-0140 in the morning.\nView 3 more replies", "not_shown c0", "1 0 1 0 0"},
		"words that resemble another's":                  {[]Told{by("Maria", question)}, "Cleo\nIs the water we still have at home safe to drink?", "not_shown c0", "1 0 1 0 0"},
	} {
		t.Run(name, func(t *testing.T) {
			root, comments := told(closure, c.comments...)
			a := CompareScreen(seen(top+c.screen), root, comments)
			if got := fmt.Sprint(a.Known, a.Found, a.NotShown, a.Unsure, a.Missing); a.said() != c.says || got != c.counts {
				t.Errorf("%q and %s; want %q and %s\n%+v", a.said(), got, c.says, c.counts, a.Findings)
			}
			for _, f := range a.Findings {
				if f.Data == "" || f.Screen == "" && f.Kind != FoundMissing && f.Kind != FoundNotShown {
					t.Errorf("a side is not quoted: %+v", f)
				}
			}
		})
	}
}

func TestAPostInAnEarlierWordingIsTold(t *testing.T) {
	root, _ := told(closure)
	root.Wordings = []string{closure, closureOld}
	a := CompareScreen(seen("Larkspur Police", "3 h", closureOld), root, nil)
	if a.Words != MatchOld || a.said() != "old root" || !strings.Contains(a.Findings[0].Data, "3rd") || !strings.Contains(a.Findings[0].Screen, "4th") {
		t.Errorf("%s: %+v", a.Words, a.Findings)
	}
	if a.About("root") != 1 || a.About("c0") != 0 {
		t.Errorf("about the root %d", a.About("root"))
	}
	root.Wordings = []string{"Pecan Street is open 🎉", "Pecan Street is open!"}
	if a := CompareScreen(seen("Larkspur Police", "3 h", "Pecan Street is open"), root, nil); a.Words != MatchFound || a.Mismatches != 0 {
		t.Errorf("only marks differ: %s, %+v", a.Words, a.Findings)
	}
}

func TestAPostThatIsWithdrawnShouldNotBeThere(t *testing.T) {
	root, _ := told(closure)
	root.State = Deleted
	if a := CompareScreen(seen("This content isn't available right now"), root, nil); a.Words != MatchNotShown || a.Mismatches != 0 {
		t.Errorf("gone: %s, %s", a.Words, a.said())
	}
	if a := CompareScreen(seen("Larkspur Police", closure), root, nil); a.said() != "withdrawn root" {
		t.Errorf("still there: %s", a.said())
	}
	root.State = Unknown // it changed while the page was visited
	if a := CompareScreen(seen("This content isn't available right now"), root, nil); a.Words != MatchUnknown || a.Mismatches != 0 {
		t.Errorf("not known: %s, %s", a.Words, a.said())
	}
}

func TestAPageThatIsNotWholeAccusesNobodyOfAbsence(t *testing.T) {
	root, comments := told(closure, by("Maria", "Is the water safe to drink?"))
	cut := seen("Larkspur Police", "3 h", "0 comments")
	cut.Cut = true
	if a := CompareScreen(cut, root, comments); a.Words != MatchUnknown || a.Missing != 0 || a.NotShown != 1 {
		t.Errorf("cut: %+v", a)
	}
	partial := seen("Larkspur Police", "3 h", closure, "0 comments")
	partial.Partial = true
	if a := CompareScreen(partial, root, comments); a.Missing != 0 || a.NotShown != 1 {
		t.Errorf("partial: %+v", a)
	}
	shown := seen("Larkspur Police", "3 h", closure)
	shown.Shown = []Shown{{What: "comments", Shown: 2, Of: 5}}
	if a := CompareScreen(shown, root, comments); a.Missing != 0 || a.NotShown != 1 {
		t.Errorf("2 of 5: %+v", a)
	}
}

func TestRecordsAreTakenAsTheyWereKnown(t *testing.T) {
	r := Record{ID: "r", Kind: Comment, Author: "Bo", State: Hidden, FirstSeen: taken.Add(-time.Hour), StateSince: taken.Add(-time.Minute)}
	revisions := []Revision{{N: 3, Text: "three", SeenAt: taken.Add(time.Second)}, {N: 1, Text: "one", SeenAt: taken.Add(-time.Hour)}, {N: 2, Text: "two", SeenAt: taken}}
	if x, ok := ToldAt(r, revisions, taken); !ok || x.State != Hidden || strings.Join(x.Wordings, " ") != "two one" {
		t.Errorf("%+v, %v", x, ok)
	}
	if x, ok := ToldAt(r, revisions, taken.Add(-2*time.Minute)); !ok || x.State != Unknown || len(x.Wordings) != 1 {
		t.Errorf("before it was hidden: %+v, %v", x, ok)
	}
	if _, ok := ToldAt(r, revisions, taken.Add(-2*time.Hour)); ok {
		t.Error("known before it was seen")
	}
}

func TestFindingsAreBoundedTheGravestFirst(t *testing.T) {
	var list []Told
	for i := range agreementFindings + 50 {
		list = append(list, by("Maria", fmt.Sprintf("Words of the comment number %d of them", i)))
	}
	list = append(list, by("Bo", "Cheap water delivered to your door").as(Hidden))
	root, comments := told(closure, list...)
	a := CompareScreen(seen("Larkspur Police", "3 h", closure, "Bo", "Cheap water delivered to your door"), root, comments)
	if len(a.Findings) != agreementFindings || a.Unlisted != 51 || a.Findings[0].Kind != FoundWithdrawn || a.Mismatches != 1 {
		t.Errorf("%d findings, %d unlisted, first %+v", len(a.Findings), a.Unlisted, a.Findings[0])
	}
}

// longThread makes a thread of comments and the page that shows a share of them,
// filled up with other words.
func longThread(comments, shown, size int) (Screen, Told, []Told) {
	r := rand.New(rand.NewPCG(1, 2))
	vocabulary := strings.Fields("the a of to and in is it that for was on are as with they be at this have from or had by but not what all were we when your can said there street water school council police car road dog park city tax vote bike rain light noise trash sign neighbor")
	for i := range 3000 {
		vocabulary = append(vocabulary, fmt.Sprintf("word%c%c", 'a'+i%26, 'a'+i/26%26))
	}
	words := func(n int) string {
		out := make([]string, n)
		for i := range out {
			k := r.IntN(60)
			if r.IntN(3) == 0 {
				k = r.IntN(len(vocabulary))
			}
			out[i] = vocabulary[k]
		}
		return strings.Join(out, " ")
	}
	var list []Told
	var page strings.Builder
	fmt.Fprintf(&page, "Larkspur Police\n3 h\n%s\n", closure)
	for i := range comments {
		x := by(fmt.Sprintf("Person %d", i), words(5+r.IntN(40)))
		if i%7 == 0 {
			x.Wordings = []string{words(20), x.Wordings[0]}
		}
		if i%11 == 0 {
			x.State = Hidden
		}
		list = append(list, x)
		if i < shown && x.State != Hidden {
			fmt.Fprintf(&page, "%s\n%s\n%d h\nReply\n", x.Author, x.Wordings[0], r.IntN(9))
		}
	}
	for page.Len() < size {
		page.WriteString(words(12) + "\n")
	}
	root, all := told(closure, list...)
	return seen(page.String()[:max(size, 0)]), root, all
}

func TestALongThreadIsComparedWithoutFalseMismatches(t *testing.T) {
	screen, root, comments := longThread(1000, 500, 1<<18)
	a := CompareScreen(screen, root, comments)
	if a.Mismatches != 0 || a.Found < 450 || a.NotShown < 400 || a.Unlisted == 0 {
		t.Errorf("%d mismatches, %d found, %d not shown: %+v", a.Mismatches, a.Found, a.NotShown, a.Findings[0])
	}
}

func TestWordsMadeToBeHardToLookForTakeNoLongerThanOthers(t *testing.T) {
	var list []Told
	for i := range 600 {
		list = append(list, by("Eve", strings.Repeat("spam ", 1000)+fmt.Sprint("ham ", i)), by("Eve", strings.Repeat("spam ", 999)+"ham").as(Hidden))
	}
	root, comments := told(closure, list...)
	began := time.Now()
	a := CompareScreen(seen("Larkspur Police", "3 h", closure, "Eve", strings.Repeat("spam ", 180_000)+" ham"), root, comments)
	if took := time.Since(began); took > time.Minute {
		t.Errorf("took %s", took)
	}
	if a.Words != MatchFound || a.Differing != 0 || a.Missing != 0 {
		t.Errorf("%s, %+v", a.Words, a.Findings[:min(3, len(a.Findings))])
	}
}

func BenchmarkCompareScreen(b *testing.B) {
	for _, shown := range []int{5000, 2500, 0} {
		screen, root, comments := longThread(5000, shown, 1<<20)
		b.Run(fmt.Sprintf("%d of 5000 comments", shown), func(b *testing.B) {
			b.SetBytes(int64(len(screen.Words)))
			for b.Loop() {
				CompareScreen(screen, root, comments)
			}
		})
	}
}

// FuzzCompareScreen looks for words that make the comparison fail, and holds it
// to what is always true: a page that says exactly what the data says agrees.
func FuzzCompareScreen(f *testing.F) {
	f.Add("Road closed… https://x.example/a 3️⃣ 22 de noviembre", "hace 3 h 11/22/2026 1.2K comments", "Maria")
	f.Add("\xff&amp;\u0301", "…", "")
	f.Fuzz(func(t *testing.T, text, rest, author string) {
		root, comments := told(text, by(author, rest, text), by(author, text, rest).as(Hidden))
		CompareScreen(seen(rest, text, author), root, comments)
		CompareScreen(Screen{Words: author + rest}, root, comments)
		root.Author = "Larkspur Police"
		a := CompareScreen(seen(text), root, nil)
		if a.Words != MatchFound && a.Words != MatchUnknown {
			t.Errorf("the same words: %s", a.Words)
		}
	})
}
