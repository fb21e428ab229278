package hook

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/candor-archive/candor"
)

const secret = "0123456789abcdef0123456789abcdef"

func mac(h func() hash.Hash, key string, body []byte) []byte {
	m := hmac.New(h, []byte(key))
	m.Write(body)
	return m.Sum(nil)
}

// signed makes a notice as the platform would send it.
func signed(kind candor.SourceKind, key string, body []byte) Request {
	r := Request{Kind: kind, Secret: secret, Method: http.MethodPost, Header: http.Header{}, Body: body}
	switch kind {
	case candor.SourceX:
		r.Header.Set("x-twitter-webhooks-signature", "sha256="+base64.StdEncoding.EncodeToString(mac(sha256.New, key, body)))
	case candor.SourceYouTube:
		r.Header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(mac(sha1.New, key, body)))
	case candor.SourceMastodon:
		r.Header.Set("X-Hub-Signature", "sha256="+hex.EncodeToString(mac(sha256.New, key, body)))
	default:
		r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac(sha256.New, key, body)))
	}
	return r
}

func ask(kind candor.SourceKind, q url.Values) Request {
	return Request{Kind: kind, Secret: secret, Method: http.MethodGet, Header: http.Header{}, Query: q.Encode()}
}

func show(v Verdict) string {
	switch {
	case v.Refused:
		return "refused"
	case v.All:
		return "all"
	case v.Challenge != nil:
		return "challenge " + string(v.Challenge)
	}
	return strings.Join(v.Accounts, " ")
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func samples(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/feed-*.json")
	if err != nil || len(names) < 8 {
		t.Fatalf("samples %v, %v", names, err)
	}
	return names
}

var kinds = []candor.SourceKind{
	candor.SourceFacebook, candor.SourceInstagram, candor.SourceThreads, candor.SourceX, candor.SourceYouTube, candor.SourceMastodon,
}

const video = `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom">
 <link rel="hub" href="https://pubsubhubbub.appspot.com"/><link rel="self" href="https://www.youtube.com/xml/feeds/videos.xml?channel_id=UCabc"/>
 <title>YouTube video feed</title><updated>2026-11-01T19:05:24.55+00:00</updated>
 <entry><id>yt:video:dQw4w9WgXcQ</id><yt:videoId>dQw4w9WgXcQ</yt:videoId><yt:channelId>UCabc</yt:channelId><title>Council &amp; you</title>
  <author><name>Larkspur</name><uri>https://www.youtube.com/channel/UCother</uri></author></entry></feed>`

const tomb = `<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:at="http://purl.org/atompub/tombstones/1.0" xmlns="http://www.w3.org/2005/Atom">
 <at:deleted-entry ref="yt:video:xScSTh-gHpQ" when="2026-11-01T17:43:36+00:00"><link href="https://www.youtube.com/watch?v=xScSTh-gHpQ"/>
  <at:by><name>Larkspur</name><uri>https://www.youtube.com/channel/UCabc</uri></at:by></at:deleted-entry></feed>`

func TestRealNoticesOfFacebookNameThePage(t *testing.T) {
	for _, name := range samples(t) {
		body := sample(t, filepath.Base(name))
		if v := Read(signed(candor.SourceFacebook, secret, body)); !slices.Equal(v.Accounts, []string{"1234567890321"}) || v.All || v.Refused {
			t.Errorf("%s: %+v", name, v)
		}
		if v := Read(signed(candor.SourceFacebook, "another secret", body)); !v.Refused || v.Accounts != nil {
			t.Errorf("%s, signed with another secret: %+v", name, v)
		}
		r := signed(candor.SourceFacebook, secret, body)
		r.Body = append(slices.Clone(body), ' ')
		if v := Read(r); !v.Refused {
			t.Errorf("%s, changed by one byte: %+v", name, v)
		}
	}
}

func TestWhomANoticeConcerns(t *testing.T) {
	for _, c := range []struct {
		kind       candor.SourceKind
		body, want string
	}{
		{candor.SourceInstagram, `{"object":"instagram","entry":[{"id":"17841405309211844","time":1547687043,"changes":[{"field":"comments","value":{"id":"1","text":"hi"}}]}]}`, "17841405309211844"},
		{candor.SourceInstagram, `{"object":"instagram","entry":[{"id":1,"time":1},{"id":"2"},{"id":"1"}]}`, "1 2"},
		{candor.SourceInstagram, `{"object":"page","entry":[{"id":"1"}]}`, "all"},
		{candor.SourceFacebook, `{"object":"page","entry":[]}`, "all"},
		{candor.SourceFacebook, `{"object":"page","entry":{"id":"1"}}`, "all"},
		{candor.SourceFacebook, `{"object":7}`, "all"},
		{candor.SourceThreads, `{"object":"threads","entry":[{"id":"78901"}]}`, "78901"},
		{candor.SourceThreads, `{"app_id":"123456","topic":"moderate","target_id":"78901","time":1723226877,"subscription_id":"234567","has_uid_field":false,
			"values":{"value":{"id":"8901234","username":"u","text":"Reply","replied_to":{"id":"567890"},"root_post":{"id":"123456","owner_id":"654321","username":"u2"}},"field":"replies"}}`, "654321"},
		{candor.SourceThreads, `{"app_id":"1","topic":"interaction","values":{"value":{"id":"5"},"field":"delete"}}`, "all"},
		{candor.SourceX, `{"for_user_id":"2244994945","tweet_create_events":[{"id_str":"1"}]}`, "2244994945"},
		{candor.SourceX, `{"data":{"event_uuid":"2080761390344937796","filter":{"user_id":"1111111111111111111"},"event_type":"post.delete","payload":{}}}`, "1111111111111111111"},
		{candor.SourceX, `{"data":[{"id":"1"}]}`, "all"},
		{candor.SourceX, `{}`, "all"},
		{candor.SourceYouTube, video, "UCabc"},
		{candor.SourceYouTube, tomb, "UCabc"},
		{candor.SourceYouTube, `<feed xmlns:at="http://purl.org/atompub/tombstones/1.0" xmlns="http://www.w3.org/2005/Atom"><at:deleted-entry ref="yt:video:x" when="y"/></feed>`, "all"},
		{candor.SourceMastodon, `{"event":"status.created","created_at":"2026-11-01T00:00:00Z","object":{"id":"109","in_reply_to_account_id":"7","account":{"id":"8"},"mentions":[{"id":"9"},{"id":"7"}]}}`, "8 7 9"},
		{candor.SourceMastodon, `{"event":"status.updated","object":{"id":"109","in_reply_to_account_id":null,"account":{"id":"8"},"mentions":[]}}`, "8"},
		{candor.SourceMastodon, `{"event":"account.updated","object":{"id":"8","username":"lpd"}}`, "8"},
		{candor.SourceMastodon, `{"hello":"status.created"}`, "all"},
	} {
		if got := show(Read(signed(c.kind, secret, []byte(c.body)))); got != c.want {
			t.Errorf("%s %.70s: %s, want %s", c.kind, c.body, got, c.want)
		}
		if got := show(Read(signed(c.kind, "wrong", []byte(c.body)))); got != "refused" {
			t.Errorf("%s %.70s with a wrong signature: %s", c.kind, c.body, got)
		}
	}
}

func TestGarbageIsRefusedEvenWhenItIsSigned(t *testing.T) {
	for _, kind := range kinds {
		for _, body := range []string{``, ` `, `null`, `true`, `12`, `"x"`, `[]`, `[{"object":"page"}]`, `{`, `{"a":1}{`, `abc`, `<html></html>`, `<feed>`, `<feed/>`, "\x00\xff", `<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>`} {
			if v := Read(signed(kind, secret, []byte(body))); !v.Refused || v.All || v.Accounts != nil {
				t.Errorf("%s %q: %+v", kind, body, v)
			}
		}
	}
	deep := `<feed xmlns="http://www.w3.org/2005/Atom">` + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</feed>"
	if v := Read(signed(candor.SourceYouTube, secret, []byte(deep))); !v.Refused {
		t.Errorf("a feed a hundred levels deep: %+v", v)
	}
}

func TestSignaturesOfAnotherFormAreRefused(t *testing.T) {
	body := []byte(`{"object":"page","entry":[{"id":"1"}]}`)
	right := hex.EncodeToString(mac(sha256.New, secret, body))
	for _, c := range []struct {
		kind         candor.SourceKind
		name, header string
		want         bool
	}{
		{candor.SourceFacebook, "X-Hub-Signature-256", "sha256=" + right, true},
		{candor.SourceFacebook, "X-Hub-Signature-256", "sha256=" + strings.ToUpper(right), true},
		{candor.SourceFacebook, "X-Hub-Signature-256", right, false},
		{candor.SourceFacebook, "X-Hub-Signature-256", "sha1=" + right, false},
		{candor.SourceFacebook, "X-Hub-Signature-256", "sha1=" + hex.EncodeToString(mac(sha1.New, secret, body)), false},
		{candor.SourceFacebook, "X-Hub-Signature-256", "sha256=" + right[:62], false},
		{candor.SourceFacebook, "X-Hub-Signature-256", "sha256=", false},
		{candor.SourceFacebook, "X-Hub-Signature-256", "", false},
		{candor.SourceFacebook, "X-Hub-Signature", "sha256=" + right, false},
		{candor.SourceMastodon, "X-Hub-Signature", "sha256=" + right, true},
		{candor.SourceMastodon, "X-Hub-Signature", "sha1=" + hex.EncodeToString(mac(sha1.New, secret, body)), false},
		{candor.SourceX, "X-Twitter-Webhooks-Signature", "sha256=" + right, false},
		{candor.SourceX, "X-Twitter-Webhooks-Signature", base64.StdEncoding.EncodeToString(mac(sha256.New, secret, body)), false},
	} {
		r := Request{Kind: c.kind, Secret: secret, Method: http.MethodPost, Header: http.Header{}, Body: body}
		r.Header.Set(c.name, c.header)
		if got := !Read(r).Refused; got != c.want {
			t.Errorf("%s %s: %s taken is %v", c.kind, c.name, c.header, got)
		}
	}
	for name, method := range hubMethods {
		r := Request{Kind: candor.SourceYouTube, Secret: secret, Method: http.MethodPost, Header: http.Header{}, Body: []byte(video)}
		r.Header.Set("X-Hub-Signature", name+"="+hex.EncodeToString(mac(method, secret, r.Body)))
		if Read(r).Refused {
			t.Errorf("a hub that signs with %s is refused", name)
		}
	}
}

func TestWithoutASecretThereIsNoHook(t *testing.T) {
	for _, kind := range append(slices.Clone(kinds), candor.SourceBluesky, candor.SourceNextdoor, candor.SourceWebsite, "") {
		r := signed(kind, "", []byte(video))
		r.Secret = ""
		if !Read(r).Refused {
			t.Errorf("%s takes what is signed with nothing", kind)
		}
		r.Header = http.Header{}
		if !Read(r).Refused {
			t.Errorf("%s takes what is not signed", kind)
		}
	}
	for _, kind := range []candor.SourceKind{candor.SourceBluesky, candor.SourceNextdoor, candor.SourceWebsite, candor.SourcePage, ""} {
		if Supports(kind) || !Read(signed(kind, secret, []byte(video))).Refused {
			t.Errorf("%q has a hook", kind)
		}
	}
	r := signed(candor.SourceFacebook, secret, []byte(`{"object":"page"}`))
	for _, method := range []string{"PUT", "DELETE", "HEAD", "OPTIONS", ""} {
		if r.Method = method; !Read(r).Refused {
			t.Errorf("%s is taken", method)
		}
	}
}

func TestMetaAsksWhetherTheAddressIsOurs(t *testing.T) {
	for _, kind := range []candor.SourceKind{candor.SourceFacebook, candor.SourceInstagram, candor.SourceThreads} {
		q := url.Values{"hub.mode": {"subscribe"}, "hub.verify_token": {VerifyToken(secret)}, "hub.challenge": {"1158201444"}}
		if v := Read(ask(kind, q)); string(v.Challenge) != "1158201444" || v.MediaType != "text/plain; charset=utf-8" {
			t.Errorf("%+v", v)
		}
		for name, value := range map[string]string{"hub.mode": "unsubscribe", "hub.verify_token": VerifyToken("x"), "hub.challenge": "<script>alert(1)</script>"} {
			old := q.Get(name)
			q.Set(name, value)
			if v := Read(ask(kind, q)); !v.Refused {
				t.Errorf("%s %s: %+v", name, value, v)
			}
			q.Del(name)
			if v := Read(ask(kind, q)); !v.Refused {
				t.Errorf("without %s: %+v", name, v)
			}
			q.Set(name, old)
		}
	}
	if v := VerifyToken(secret); len(v) != 32 || strings.Contains(secret, v) || v == VerifyToken(secret+"x") {
		t.Errorf("the word is %s", v)
	}
	if v := Read(Request{Kind: candor.SourceFacebook, Secret: secret, Method: "GET", Query: "hub.mode=%zz"}); !v.Refused {
		t.Errorf("%+v", v)
	}
}

// Token and answer were made apart from this program.
func TestXChecksThatWeKnowTheSecret(t *testing.T) {
	r := ask(candor.SourceX, url.Values{"crc_token": {"9b4507b3-9040-4669-9ca3-6b94edb50553"}, "nonce": {"abc"}})
	r.Secret = "z3ZX4v7mAAUGykl3EcmkqbartmuW8VFOOzCloLx9Q45P0hLrFu"
	v := Read(r)
	var answer map[string]string
	if err := json.Unmarshal(v.Challenge, &answer); err != nil || v.MediaType != "application/json" {
		t.Fatalf("%+v, %v", v, err)
	}
	if len(answer) != 1 || answer["response_token"] != "sha256=Cytd4Sq+NvEcV3MMrXxWJGJx5A+y/lXzzU2Maartkx8=" { // by openssl dgst -hmac
		t.Errorf("%v", answer)
	}
}

func TestXsCheckDoesNotSignNoticesForStrangers(t *testing.T) {
	for _, token := range []string{`{"for_user_id":"1"}`, `{}`, ` {}`, `a b`, `"x"`, "", strings.Repeat("a", 513), "a\n"} {
		if v := Read(ask(candor.SourceX, url.Values{"crc_token": {token}})); !v.Refused {
			t.Errorf("%q was signed: %s", token, v.Challenge)
		}
	}
	// Whatever it does sign is no notice.
	for _, token := range []string{"null", "true", "12", "abc", "e30="} {
		v := Read(ask(candor.SourceX, url.Values{"crc_token": {token}}))
		var answer struct {
			Token string `json:"response_token"`
		}
		if err := json.Unmarshal(v.Challenge, &answer); err != nil {
			t.Fatal(err)
		}
		r := Request{Kind: candor.SourceX, Secret: secret, Method: "POST", Header: http.Header{}, Body: []byte(token)}
		r.Header.Set("X-Twitter-Webhooks-Signature", answer.Token)
		if v := Read(r); !v.Refused {
			t.Errorf("%q, signed by the check, is taken: %+v", token, v)
		}
	}
}

func TestAHubAsksWhetherWeWantTheChannel(t *testing.T) {
	const topic = "https://www.youtube.com/xml/feeds/videos.xml?channel_id="
	word := VerifyToken(secret)
	for name, c := range map[string]struct {
		account, mode, topic, word, challenge string
		want                                  bool
	}{
		"our channel":                          {"UCabc", "subscribe", topic + "UCabc", "", "14159265", true},
		"our channel, by its newer address":    {"UCabc", "subscribe", "https://www.youtube.com/feeds/videos.xml?channel_id=UCabc", "", "x", true},
		"our channel with our word":            {"UCabc", "subscribe", topic + "UCabc", word, "x", true},
		"our channel with a wrong word":        {"UCabc", "subscribe", topic + "UCabc", "guess", "x", false},
		"another channel":                      {"UCabc", "subscribe", topic + "UCother", "", "x", false},
		"another channel with our word":        {"UCabc", "subscribe", topic + "UCother", word, "x", false},
		"a channel not known, with our word":   {"", "subscribe", topic + "UCabc", word, "x", true},
		"a channel not known, without a word":  {"", "subscribe", topic + "UCabc", "", "x", false},
		"an end to it":                         {"UCabc", "unsubscribe", topic + "UCabc", word, "x", false},
		"a denial":                             {"UCabc", "denied", topic + "UCabc", "", "", false},
		"a topic elsewhere":                    {"UCabc", "subscribe", "https://evil.example/xml/feeds/videos.xml?channel_id=UCabc", "", "x", false},
		"a topic that only looks like it":      {"UCabc", "subscribe", "https://www.youtube.com.evil.example/xml/feeds/videos.xml?channel_id=UCabc", "", "x", false},
		"another feed":                         {"UCabc", "subscribe", "https://www.youtube.com/xml/feeds/other.xml?channel_id=UCabc", "", "x", false},
		"no channel":                           {"", "subscribe", topic, word, "x", false},
		"no challenge":                         {"UCabc", "subscribe", topic + "UCabc", "", "", false},
		"a challenge that could be more":       {"UCabc", "subscribe", topic + "UCabc", "", "<b>", false},
		"a challenge that is longer than ever": {"UCabc", "subscribe", topic + "UCabc", "", strings.Repeat("1", 600), false},
	} {
		q := url.Values{"hub.mode": {c.mode}, "hub.topic": {c.topic}, "hub.challenge": {c.challenge}, "hub.lease_seconds": {"432000"}}
		if c.word != "" {
			q.Set("hub.verify_token", c.word)
		}
		r := ask(candor.SourceYouTube, q)
		r.Account = c.account
		if v := Read(r); v.Refused == c.want || c.want && string(v.Challenge) != c.challenge {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestASubscriptionIsConfirmedByItsOwnValues(t *testing.T) {
	form := Subscription("https://records.example.gov/hooks/abc", "UC-a_b", secret, 5*24*time.Hour)
	if form.Get("hub.lease_seconds") != "432000" || form.Get("hub.secret") != secret {
		t.Errorf("%v", form)
	}
	r := ask(candor.SourceYouTube, url.Values{
		"hub.mode": form["hub.mode"], "hub.topic": form["hub.topic"], "hub.verify_token": form["hub.verify_token"], "hub.challenge": {"7"},
	})
	r.Account = "UC-a_b"
	if v := Read(r); string(v.Challenge) != "7" {
		t.Errorf("%+v", v)
	}
}

func TestOneNoticeNamesSoManyAccountsAtMost(t *testing.T) {
	var entries []string
	for i := range 5000 {
		entries = append(entries, fmt.Sprintf(`{"id":"%d"}`, i))
	}
	v := Read(signed(candor.SourceFacebook, secret, []byte(`{"object":"page","entry":[`+strings.Join(entries, ",")+`]}`)))
	if len(v.Accounts) != mostAccounts {
		t.Errorf("%d accounts", len(v.Accounts))
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range samples(f) {
		f.Add(0, sample(f, filepath.Base(name)), "hub.mode=subscribe&hub.challenge=1", "sha256=00")
	}
	f.Add(3, []byte(`{"for_user_id":"1","data":{"filter":{"user_id":2}}}`), "crc_token=abc", "sha256=AA==")
	f.Add(4, []byte(video), "hub.mode=subscribe&hub.topic=https://www.youtube.com/xml/feeds/videos.xml?channel_id=UCabc&hub.challenge=1", "sha1=00")
	f.Add(4, []byte(tomb), "hub.mode=%", "")
	f.Add(5, []byte(`{"event":"status.created","object":{"account":{"id":"1"},"mentions":[{"id":2}]}}`), "", "sha256=")
	f.Fuzz(func(t *testing.T, n int, body []byte, query, signature string) {
		kind := kinds[uint(n)%uint(len(kinds))]
		check := func(v Verdict) {
			t.Helper()
			set := 0
			for _, is := range []bool{v.Refused, v.Challenge != nil, v.All, len(v.Accounts) > 0} {
				if is {
					set++
				}
			}
			if set != 1 || slices.Contains(v.Accounts, "") || len(v.Accounts) > mostAccounts {
				t.Errorf("%s: %+v", kind, v)
			}
		}
		check(Read(signed(kind, secret, body)))
		// Nobody guesses a signature.
		for _, name := range []string{"X-Hub-Signature", "X-Hub-Signature-256", "X-Twitter-Webhooks-Signature"} {
			r := Request{Kind: kind, Secret: secret, Method: http.MethodPost, Header: http.Header{name: {signature}}, Body: body}
			if v := Read(r); !v.Refused {
				t.Errorf("%s: signed by a guess: %+v", kind, v)
			}
		}
		v := Read(Request{Kind: kind, Secret: secret, Account: "UCabc", Method: http.MethodGet, Header: http.Header{}, Query: query})
		check(v)
		if v.Challenge != nil && len(v.Challenge) > 1000 || v.All || v.Accounts != nil {
			t.Errorf("%s: %+v", kind, v)
		}
		// What X's check signs is never a notice.
		if kind == candor.SourceX && v.Challenge != nil {
			q, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			if v := Read(signed(kind, secret, []byte(q.Get("crc_token")))); !v.Refused {
				t.Errorf("%q is signed for everybody and taken as a notice", q.Get("crc_token"))
			}
		}
	})
}
