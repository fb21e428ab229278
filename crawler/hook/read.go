package hook

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/candor-archive/candor"
)

// Request is what came in.
type Request struct {
	Kind    candor.SourceKind
	Secret  string // shared with the platform; without one everything is refused
	Account string // the platform's id of the source's account, where it is known
	Method  string
	Header  http.Header
	Query   string // raw
	Body    []byte // raw, as it was signed
}

// Verdict is what a request comes to. The zero Verdict is none: exactly one of
// Refused, Challenge, All and Accounts is set.
type Verdict struct {
	Refused   bool     // not from the platform, or nothing we know
	Challenge []byte   // to be answered with these bytes
	MediaType string   // of the challenge's answer
	Accounts  []string // the platform's ids of accounts something happened to
	All       bool     // something happened, and it does not say to whom
}

var refused = Verdict{Refused: true}

// Supports reports whether notices of a platform are understood.
func Supports(kind candor.SourceKind) bool { return platforms[kind].notice != nil }

// platform is how one platform speaks.
type platform struct {
	challenge func(Request, url.Values) Verdict // of a GET; nil when there is none
	signed    func(Request) bool
	notice    func([]byte) Verdict // of a body whose signature is right
}

var platforms = map[candor.SourceKind]platform{
	candor.SourceFacebook:  {metaChallenge, metaSigned, func(b []byte) Verdict { return metaNotice(b, "page") }},
	candor.SourceInstagram: {metaChallenge, metaSigned, func(b []byte) Verdict { return metaNotice(b, "instagram") }},
	candor.SourceThreads:   {metaChallenge, metaSigned, func(b []byte) Verdict { return metaNotice(b, "threads") }},
	candor.SourceX:         {xChallenge, xSigned, xNotice},
	candor.SourceYouTube:   {youtubeChallenge, hubSigned, youtubeNotice},
	candor.SourceMastodon:  {nil, hubSigned, mastodonNotice},
}

// Read judges a request. The signature is compared in constant time and before
// the body is looked into.
func Read(r Request) Verdict {
	p := platforms[r.Kind]
	if p.notice == nil || r.Secret == "" {
		return refused
	}
	switch r.Method {
	case http.MethodGet:
		q, err := url.ParseQuery(r.Query)
		if err != nil || p.challenge == nil {
			return refused
		}
		return p.challenge(r, q)
	case http.MethodPost:
		if !p.signed(r) {
			return refused
		}
		return p.notice(r.Body)
	}
	return refused
}

// VerifyToken is the word that the operator gives to a platform together with
// the address of a source, and that the platform says when it asks whether the
// address is ours. It is made from the secret, so that there is only one thing
// to keep, and does not tell it: it travels in addresses, which are logged.
func VerifyToken(secret string) string {
	return hex.EncodeToString(sum(sha256.New, secret, []byte("candor webhook verify token")))[:32]
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func sum(h func() hash.Hash, secret string, body []byte) []byte {
	m := hmac.New(h, []byte(secret))
	m.Write(body) // never fails
	return m.Sum(nil)
}

// hexSigned checks a signature of the form "sha256=" and hexadecimal digits.
func hexSigned(header, secret string, body []byte, methods map[string]func() hash.Hash) bool {
	name, digits, _ := strings.Cut(header, "=")
	h := methods[name]
	given, err := hex.DecodeString(digits)
	return h != nil && err == nil && hmac.Equal(given, sum(h, secret, body))
}

var onlySHA256 = map[string]func() hash.Hash{"sha256": sha256.New}

// hubMethods are those of WebSub. SHA-1 is what the older standard had and
// Google's hub still sends; no weakness of it is known to touch HMAC.
var hubMethods = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

func hubSigned(r Request) bool {
	methods := hubMethods
	if r.Kind == candor.SourceMastodon {
		methods = onlySHA256
	}
	return hexSigned(r.Header.Get("X-Hub-Signature"), r.Secret, r.Body, methods)
}

func metaSigned(r Request) bool {
	return hexSigned(r.Header.Get("X-Hub-Signature-256"), r.Secret, r.Body, onlySHA256)
}

func xSigned(r Request) bool {
	digits, ok := strings.CutPrefix(r.Header.Get("X-Twitter-Webhooks-Signature"), "sha256=")
	given, err := base64.StdEncoding.DecodeString(digits)
	return ok && err == nil && hmac.Equal(given, sum(sha256.New, r.Secret, r.Body))
}

// echo answers a challenge with itself, if it is of a form that can do no harm
// wherever it is shown.
func echo(challenge string) Verdict {
	if !plain(challenge) {
		return refused
	}
	return Verdict{Challenge: []byte(challenge), MediaType: "text/plain; charset=utf-8"}
}

// plain reports whether a text is a token as platforms make them: base64,
// base64url, a UUID, a number.
func plain(s string) bool {
	if s == "" || len(s) > 512 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("+/=_-.~", rune(c)) {
			return false
		}
	}
	return true
}

func metaChallenge(r Request, q url.Values) Verdict {
	if q.Get("hub.mode") != "subscribe" || !same(q.Get("hub.verify_token"), VerifyToken(r.Secret)) {
		return refused
	}
	return echo(q.Get("hub.challenge"))
}

// xChallenge answers the challenge-response check of X. Anybody may ask it, and
// the answer is what signs a notice with the same bytes: so only tokens are
// answered, which cannot be a notice, since a notice is a JSON object.
func xChallenge(r Request, q url.Values) Verdict {
	token := q.Get("crc_token")
	if !plain(token) {
		return refused
	}
	answer, err := json.Marshal(map[string]string{
		"response_token": "sha256=" + base64.StdEncoding.EncodeToString(sum(sha256.New, r.Secret, []byte(token))),
	})
	if err != nil {
		return refused
	}
	return Verdict{Challenge: answer, MediaType: "application/json"}
}

// youtubeChallenge answers a hub that asks whether we want a subscription. Only
// a channel's feed can be wanted, and only our channel's; where the channel is
// not known, the hub must say our word. A wish to end it is never confirmed: we
// let subscriptions run out, so such a wish is somebody else's.
func youtubeChallenge(r Request, q url.Values) Verdict {
	channel, ok := topicChannel(q.Get("hub.topic"))
	word, said := q.Get("hub.verify_token"), q.Has("hub.verify_token")
	switch {
	case q.Get("hub.mode") != "subscribe" || !ok:
		return refused
	case r.Account != "" && channel != r.Account, r.Account == "" && !said:
		return refused
	case said && !same(word, VerifyToken(r.Secret)):
		return refused
	}
	return echo(q.Get("hub.challenge"))
}

const topicBase = "https://www.youtube.com/xml/feeds/videos.xml"

// Hub is where YouTube's subscriptions are asked for.
const Hub = "https://pubsubhubbub.appspot.com/subscribe"

// Subscription is the form to be posted to the Hub so that it sends notices of a
// channel to callback. It is to be posted again before the lease is over.
func Subscription(callback, channel, secret string, lease time.Duration) url.Values {
	return url.Values{
		"hub.mode": {"subscribe"}, "hub.topic": {topicBase + "?channel_id=" + url.QueryEscape(channel)}, "hub.callback": {callback},
		"hub.secret": {secret}, "hub.verify_token": {VerifyToken(secret)}, "hub.verify": {"async"}, "hub.lease_seconds": {strconv.Itoa(int(lease.Seconds()))},
	}
}

// topicChannel gives the channel whose feed a topic is.
func topicChannel(topic string) (string, bool) {
	u, err := url.Parse(topic)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host != "www.youtube.com" ||
		(u.Path != "/xml/feeds/videos.xml" && u.Path != "/feeds/videos.xml") {
		return "", false
	}
	id := u.Query().Get("channel_id")
	return id, id != ""
}
