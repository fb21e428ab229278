package youtube

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/sighting"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decoder(t testing.TB) *Client {
	t.Helper()
	c, err := New(Config{SiteURL: "https://www.youtube.com/@googledevelopers"})
	if err != nil {
		t.Fatal(err)
	}
	c.channelID = "UC_x5XG1OV2P6uZZ5FSM9Ttw"
	return c
}

func page(t *testing.T, name, kind string, items int) list {
	t.Helper()
	l, err := decodeList(sample(t, name), kind)
	if err != nil || len(l.items) != items {
		t.Fatalf("%s: %d items, %v; want %d", name, len(l.items), err, items)
	}
	return l
}

func decoded[T any](t *testing.T, raw json.RawMessage) (v T) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRealChannel(t *testing.T) {
	ch := decoded[channel](t, page(t, "channels__info_multiple.json", channelList, 2).items[0])
	if ch.ID != "UCK8sQmJBp8GCxrOtXWBpyEA" || ch.Snippet.Title != "Google" || ch.Snippet.CustomURL != "@google" ||
		ch.ContentDetails.RelatedPlaylists.Uploads != "UUK8sQmJBp8GCxrOtXWBpyEA" || ch.Statistics.VideoCount != "2678" {
		t.Errorf("%+v", ch)
	}
}

func TestRealListOfUploads(t *testing.T) {
	l := page(t, "playlist_items__playlist_items_paged_1.json", playlistList, 10)
	if l.next != "CAoQAA" || l.total != 13 {
		t.Errorf("next %q, total %d", l.next, l.total)
	}
	for _, raw := range l.items {
		if p := decoded[playlistItem](t, raw); p.videoID() == "" || p.private() || p.deleted() {
			t.Errorf("%+v", p)
		}
	}
	if l = page(t, "playlist_items__playlist_items_paged_2.json", playlistList, 3); l.next != "" {
		t.Errorf("the last page goes on to %q", l.next)
	}
	if id := decoded[playlistItem](t, l.items[0]).videoID(); id != "6aSG8SdvkoU" {
		t.Errorf("the video is %q", id)
	}
}

func TestRealVideo(t *testing.T) {
	v := decoded[video](t, page(t, "videos__videos_info_single.json", videoList, 1).items[0])
	p, ok := decoder(t).post(v, "sha", sighting.Listed)
	if !ok || p.UID != "D-lhorsDlUQ" || p.Kind != candor.Post || p.RootUID != p.UID || p.ParentUID != "" || !p.ByAgency || p.Author != "Google Developers" {
		t.Fatalf("%+v", p)
	}
	if !strings.HasPrefix(p.Text, "What are Actions on Google (Assistant on Air)\n\nIn the first episode of Assistant on Air, Luke") || p.Language != "en" {
		t.Errorf("text is %q in %q", p.Text, p.Language)
	}
	if !p.PostedAt.Equal(time.Date(2019, 3, 21, 20, 37, 49, 0, time.UTC)) || !p.UpdatedAt.IsZero() || p.Comments != -1 || p.State != "" {
		t.Errorf("%+v", p)
	}
	if p.URL != "https://www.youtube.com/watch?v=D-lhorsDlUQ" || len(p.Attachments) != 2 || len(p.Fetch) != 2 {
		t.Fatalf("%+v", p)
	}
	if a := p.Attachments[0]; a.Type != "photo" || a.Alt != "What are Actions on Google (Assistant on Air)" || a.URL != "https://i.ytimg.com/vi/D-lhorsDlUQ/hqdefault.jpg" ||
		p.Fetch[0] != "https://i.ytimg.com/vi/D-lhorsDlUQ/maxresdefault.jpg" {
		t.Errorf("thumbnail is %+v, fetched from %s", a, p.Fetch[0])
	}
	if a := p.Attachments[1]; a.Type != "video" || a.URL != p.URL || a.Failure == "" || p.Fetch[1] != "" {
		t.Errorf("video is %+v, fetched from %q", a, p.Fetch[1])
	}
}

// The API's own pictures of a video change as it is processed and when a
// broadcast ends; nobody has edited anything then.
func TestThumbnailsThatArriveLaterAreNoEdit(t *testing.T) {
	c := decoder(t)
	hash := func(thumbnails string) string {
		v := decoded[video](t, json.RawMessage(`{"id":"abc","snippet":{"title":"T","thumbnails":`+thumbnails+`}}`))
		p, _ := c.post(v, "", "")
		return candor.HashContent(p.Text, p.Attachments)
	}
	young := hash(`{"default":{"url":"https://i.ytimg.com/vi/abc/default.jpg"},"high":{"url":"https://i.ytimg.com/vi/abc/hqdefault.jpg"}}`)
	if old := hash(`{"high":{"url":"https://i.ytimg.com/vi/abc/hqdefault.jpg"},"maxres":{"url":"https://i.ytimg.com/vi/abc/maxresdefault.jpg"}}`); old != young {
		t.Error("a larger picture makes an edit")
	}
	if live := hash(`{"high":{"url":"https://i.ytimg.com/vi/abc/hqdefault_live.jpg"}}`); live != young {
		t.Error("the end of a broadcast makes an edit")
	}
}

func TestRealThread(t *testing.T) {
	th := decoded[thread](t, page(t, "comment_threads__comment_thread_single.json", threadList, 1).items[0])
	it, ok := decoder(t).comment(*th.Snippet.TopLevelComment, "D-lhorsDlUQ", "sha", sighting.Listed, false)
	if !ok || it.UID != "UgxKREWxIgDrw8w2e_Z4AaABAg" || it.Kind != candor.Comment || it.RootUID != "D-lhorsDlUQ" || it.ParentUID != "D-lhorsDlUQ" || it.ByAgency {
		t.Fatalf("%+v", it)
	}
	if it.Author != "Hieu Nguyen" || it.AuthorID != "UClfzT4CU_yaZjJaI4pKqSjQ" || !it.UpdatedAt.IsZero() || it.State != "" {
		t.Errorf("%+v", it)
	}
	if it.Text != "Super video !!!\nWith full power skil  thank a lot ... \nVery nice , coupe \ncan i give Luke Davit and JESSICA EARl- CHA some tea and tall a more ..." {
		t.Errorf("text is %q", it.Text)
	}
	if it.URL != "https://www.youtube.com/watch?v=D-lhorsDlUQ&lc=UgxKREWxIgDrw8w2e_Z4AaABAg" {
		t.Errorf("link is %s", it.URL)
	}
}

func TestRealThreadsSayHowManyRepliesThereAre(t *testing.T) {
	l := page(t, "comment_threads__comment_threads_by_video_paged_1.json", threadList, 5)
	if !strings.HasPrefix(l.next, "QURTSl9pMzdZ") {
		t.Errorf("next is %q", l.next)
	}
	th := decoded[thread](t, l.items[4])
	if th.Snippet.TotalReplyCount != 2 || len(th.Replies.Comments) != 0 {
		t.Errorf("%+v", th)
	}
}

func TestRealReply(t *testing.T) {
	m := decoded[comment](t, page(t, "comments__comments_by_parent_paged_2.json", commentList, 1).items[0])
	it, ok := decoder(t).comment(m, "JE8xdDp5B8Q", "sha", sighting.Listed, false)
	if !ok || it.UID != "Ugw5zYU6n9pmIgAZWvN4AaABAg.91zT3cYb5B291za3E-eR-l" || it.Kind != candor.Reply ||
		it.ParentUID != "Ugw5zYU6n9pmIgAZWvN4AaABAg" || it.RootUID != "JE8xdDp5B8Q" || it.Text != "hey, this is the replay" {
		t.Errorf("%+v", it)
	}
}

func TestRealErrors(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	if e := decodeError(400, sample(t, "error_response.json"), now); e == nil || e.Class != connector.BadToken || !says(e, "keyInvalid") {
		t.Errorf("%+v", e)
	}
	if e := decodeError(403, sample(t, "error_permission_resp.json"), now); e == nil || e.Class != connector.Permission {
		t.Errorf("%+v", e)
	}
}

func TestErrorClasses(t *testing.T) {
	noon := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC) // in California
	envelope := func(reason string) string {
		return `{"error":{"code":403,"message":"m","errors":[{"domain":"d","reason":"` + reason + `"}]}}`
	}
	for _, c := range []struct {
		status int
		body   string
		want   connector.Class
		after  time.Duration
	}{
		{403, envelope("quotaExceeded"), connector.Throttled, 12 * time.Hour},
		{403, envelope("dailyLimitExceeded"), connector.Throttled, 12 * time.Hour},
		{403, envelope("rateLimitExceeded"), connector.Throttled, time.Minute},
		{403, envelope("userRateLimitExceeded"), connector.Throttled, time.Minute},
		{429, `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}`, connector.Throttled, time.Minute},
		{429, `<html>`, connector.Throttled, time.Minute},
		{400, `{"error":{"code":400,"status":"INVALID_ARGUMENT","errors":[{"reason":"badRequest"}],"details":[{"reason":"API_KEY_INVALID"}]}}`, connector.BadToken, 0},
		{401, `{"error":{"code":401,"status":"UNAUTHENTICATED","errors":[{"reason":"authError"}]}}`, connector.BadToken, 0},
		{401, `{}`, connector.BadToken, 0},
		{403, envelope("forbidden"), connector.Permission, 0},
		{403, envelope("insufficientPermissions"), connector.Permission, 0},
		{403, envelope("accessNotConfigured"), connector.Permission, 0},
		{404, `{"error":{"code":404,"errors":[{"reason":"videoNotFound"}]}}`, connector.Vanished, 0},
		{404, `{"error":{"code":404,"errors":[{"reason":"commentNotFound"}]}}`, connector.Vanished, 0},
		{404, `{"error":{"code":404,"message":"Method not found."}}`, connector.Refused, 0},
		{400, `{"error":{"code":400,"errors":[{"reason":"processingFailure"}]}}`, connector.Transient, 0},
		{400, `{"error":{"code":400,"errors":[{"reason":"invalidPageToken"}]}}`, connector.Refused, 0},
		{200, `{"error":{"code":503,"errors":[{"reason":"backendError"}]}}`, connector.Transient, 0},
		{503, `{"error":{"code":503}}`, connector.Transient, 0},
		{502, `<html>`, connector.Transient, 0},
		{404, `<html>`, connector.Transient, 0},
		{200, `<html>`, connector.Transient, 0},
		{200, ``, connector.Transient, 0},
	} {
		e := decodeError(c.status, []byte(c.body), noon)
		if e == nil || e.Class != c.want || e.After != c.after {
			t.Errorf("%d %s: %+v, want %s after %s", c.status, c.body, e, c.want, c.after)
		}
	}
	if e := decodeError(200, []byte(`{"kind":"youtube#videoListResponse"}`), noon); e != nil {
		t.Errorf("a list is an error: %+v", e)
	}
}

func TestTheAllowanceIsRenewedAtMidnightOfThePacificCoast(t *testing.T) {
	for at, want := range map[string]time.Duration{
		"2026-11-23T07:59:00Z": time.Minute,    // 23:59 in winter
		"2026-11-23T08:00:00Z": 24 * time.Hour, // 0:00
		"2026-07-01T06:00:00Z": time.Hour,      // 23:00 in summer
		"2026-11-01T07:30:00Z": 24*time.Hour + 30*time.Minute,
	} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := untilReset(now); got != want {
			t.Errorf("at %s it is %s, want %s", at, got, want)
		}
	}
}

func TestMessagesLoseTheirLinks(t *testing.T) {
	e := decodeError(403, []byte(`{"error":{"code":403,"message":"You have exceeded your <a href=\"/x\">quota</a>.","errors":[{"reason":"quotaExceeded"}]}}`), time.Now())
	if e.Message != "quotaExceeded: You have exceeded your quota." {
		t.Errorf("%q", e.Message)
	}
}

func TestWhatIsNoListIsNoEmptyList(t *testing.T) {
	for _, body := range []string{`{}`, `[]`, `null`, ``, `{"items":[]}`, `{"kind":"youtube#videoListResponse","items":[`, `{"kind":"youtube#commentListResponse","items":[]}`, `{"kind":"youtube#videoListResponse","items":{}}`} {
		if l, err := decodeList([]byte(body), videoList); err == nil {
			t.Errorf("%q read as %+v", body, l)
		}
	}
}

func TestStatesOfComments(t *testing.T) {
	c := decoder(t)
	c.withdrawn["unlisted"] = true
	for _, x := range []struct {
		status, root string
		held         bool
		want         candor.RecordState
	}{
		{"", "v", false, ""}, {"published", "v", false, ""}, {"published", "v", true, ""}, {"", "v", true, candor.Held},
		{"heldForReview", "v", false, candor.Held}, {"likelySpam", "v", true, candor.Held}, {"rejected", "v", false, candor.Hidden},
		{"", "unlisted", false, candor.Private}, {"heldForReview", "unlisted", true, candor.Held},
	} {
		m := decoded[comment](t, json.RawMessage(`{"id":"1","snippet":{"moderationStatus":"`+x.status+`"}}`))
		if it, ok := c.comment(m, x.root, "", "", x.held); !ok || it.State != x.want {
			t.Errorf("%+v is %q", x, it.State)
		}
	}
}

func TestPicturesInCommentsAreKept(t *testing.T) {
	m := decoded[comment](t, json.RawMessage(`{"id":"1","snippet":{"textDisplay":"","imageUrl":"https://lh3.googleusercontent.com/abc=w1","publishedAt":"2026-11-20T10:00:00Z","updatedAt":"2026-11-21T10:00:00Z"}}`))
	it, ok := decoder(t).comment(m, "v", "", "", false)
	if !ok || len(it.Attachments) != 1 || it.Attachments[0].Type != "photo" || it.Fetch[0] != "https://lh3.googleusercontent.com/abc=w1" {
		t.Errorf("%+v", it)
	}
	if !it.UpdatedAt.Equal(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("edited at %s", it.UpdatedAt)
	}
	m.Snippet.ImageURL = "javascript:alert(1)"
	if it, _ = decoder(t).comment(m, "v", "", "", false); len(it.Attachments) != 0 {
		t.Errorf("%+v", it.Attachments)
	}
}

func TestTimesFarOffAreNotBelieved(t *testing.T) {
	for _, s := range []string{"", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "yesterday", "2026-13-01T00:00:00Z"} {
		if got := connector.Time(s); !got.IsZero() {
			t.Errorf("%q read as %s", s, got)
		}
	}
}

func TestChannelNamedByItsAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://www.youtube.com/@larkspurpd":                               "@larkspurpd",
		"https://www.youtube.com/@larkspurpd/videos?x=1":                    "@larkspurpd",
		"https://www.youtube.com/channel/UC_x5XG1OV2P6uZZ5FSM9Ttw/featured": "UC_x5XG1OV2P6uZZ5FSM9Ttw",
		"https://www.youtube.com/user/LarkspurPD":                           "user/LarkspurPD",
		"https://www.youtube.com/c/LarkspurPD":                              "c/LarkspurPD",
		"https://www.youtube.com/LarkspurPD":                                "c/LarkspurPD",
		"https://www.youtube.com/watch?v=D-lhorsDlUQ":                       "",
		"https://www.youtube.com/channel":                                   "",
		"https://www.youtube.com/":                                          "",
		"":                                                                  "",
	} {
		if got := Ref(address); got != want {
			t.Errorf("Ref(%q) = %q, want %q", address, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no samples", err)
	}
	for _, name := range files {
		f.Add(sample(f, filepath.Base(name)))
	}
	f.Add([]byte(`{"kind":"youtube#commentListResponse","items":[{"id":".","snippet":{"parentId":"."}},{"id":"v","snippet":{}},null]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c := decoder(t)
		for _, kind := range []string{channelList, playlistList, videoList, threadList, commentList} {
			l, err := decodeList(body, kind)
			if err != nil {
				continue
			}
			for _, raw := range l.items {
				var v video
				if json.Unmarshal(raw, &v) == nil {
					if p, ok := c.post(v, "", ""); ok && (p.UID == "" || p.RootUID != p.UID || len(p.Fetch) != len(p.Attachments)) {
						t.Errorf("post %+v", p)
					}
				}
				var list []comment
				var m comment
				if json.Unmarshal(raw, &m) == nil {
					list = append(list, m)
				}
				var th thread
				if json.Unmarshal(raw, &th) == nil && th.Snippet.TopLevelComment != nil {
					list = append(list, *th.Snippet.TopLevelComment)
				}
				for _, m := range list {
					if it, ok := c.comment(m, "v", "", "", false); ok && (it.UID == "" || it.UID == it.ParentUID || it.UID == it.RootUID || it.ParentUID == "") {
						t.Errorf("comment %+v", it)
					}
				}
				var p playlistItem
				if json.Unmarshal(raw, &p) == nil {
					p.videoID()
				}
			}
		}
		for _, status := range []int{200, 403} {
			if e := decodeError(status, body, time.Unix(0, 0)); e != nil && e.Class == "" {
				t.Errorf("%+v has no class", e)
			}
		}
	})
}
