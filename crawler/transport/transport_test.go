package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/candor-archive/candor"
)

const token = "EAAGtoken0for0tests0|and/more=="

func visit(t *testing.T, h http.HandlerFunc, change func(*Config)) (*Visit, string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	cfg := Config{
		HTTP: srv.Client(), PerHost: rate.Inf, Random: func() float64 { return 0.5 },
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
	if change != nil {
		change(&cfg)
	}
	return New(cfg).Visit("source", token), srv.URL
}

// memory is an object store that remembers.
type memory map[string][]byte

func (m memory) PutObject(_ context.Context, r io.Reader) (string, int64, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return "", 0, err
	}
	m[candor.SHA256(b)] = b
	return candor.SHA256(b), int64(len(b)), nil
}

func TestCredentialsAreInNothingThatIsKept(t *testing.T) {
	v, base := visit(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Set-Cookie", "session=abc123")
		w.Header().Set("Link", `<https://graph.example/next?access_token=`+token+`>; rel=next`)
		fmt.Fprintf(w, `{"next":"https://graph.example/v26.0/1?access_token=%s\u0026limit=5","echo":"%s","other":"x?access_token=UNKNOWN%%7Cx&b=1","slash":"%s"}`,
			"EAAGtoken0for0tests0%7Cand%2Fmore%3D%3D", token, strings.ReplaceAll(token, "/", `\/`))
	}, nil)
	reply, err := v.Get(context.Background(), base+"/x?access_token="+token+"&fields=id&appsecret_proof=00ff", http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	objects := memory{}
	if err := v.Keep(context.Background(), objects, reply); err != nil {
		t.Fatal(err)
	}
	everything := fmt.Sprintf("%+v", v.Answers())
	for _, b := range objects {
		everything += string(b)
	}
	for _, secret := range []string{"EAAGtoken", "abc123", "00ff", "UNKNOWN", "more=="} {
		if strings.Contains(everything, secret) {
			t.Errorf("%q is kept in %s", secret, everything)
		}
	}
	if !strings.Contains(string(reply.Body), `\u0026limit=5`) || !strings.Contains(string(reply.Body), "&b=1") {
		t.Errorf("more than the credential was removed: %s", reply.Body)
	}
	if reply.Answer.URL != base+"/x?fields=id" {
		t.Errorf("address is %s", reply.Answer.URL)
	}
	if !strings.Contains(reply.Answer.Header, "Content-Type: application/json\n") {
		t.Errorf("headers are %q", reply.Answer.Header)
	}
}

func TestCredentialsAreInNoError(t *testing.T) {
	v, _ := visit(t, nil, nil)
	_, err := v.Get(context.Background(), "http://127.0.0.1:1/?access_token="+token, nil)
	if err == nil || strings.Contains(err.Error(), "EAAG") {
		t.Errorf("error is %v", err)
	}
	_, err = v.Get(context.Background(), "http://127.0.0.1:1/\x7f?access_token="+token, nil)
	if err == nil || strings.Contains(err.Error(), "EAAG") {
		t.Errorf("error is %v", err)
	}
}

func TestBytesOfPicturesAreNotTouched(t *testing.T) {
	picture := []byte("\x89PNG access_token=abcdef \x00\xff")
	v, base := visit(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		w.Write(picture)
	}, nil)
	reply, err := v.Fetch(context.Background(), base)
	if err != nil || !bytes.Equal(reply.Body, picture) {
		t.Errorf("got %q, %v", reply.Body, err)
	}
}

func TestPassingFailuresAreTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		fails int
		how   http.HandlerFunc
		calls int32
		want  int
	}{
		{"two bad gateways", 2, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, 3, 200},
		{"always busy", 9, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, 3, 503},
		{"a long wait asked for", 9, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}, 1, 429},
		{"cut off midway", 1, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("half"))
		}, 2, 200},
		{"refused", 9, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, 1, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int32
			v, base := visit(t, func(w http.ResponseWriter, r *http.Request) {
				if int(calls.Add(1)) <= c.fails {
					c.how(w, r)
					return
				}
				w.Write([]byte("good"))
			}, nil)
			reply, err := v.Get(context.Background(), base, nil)
			if err != nil || reply.Answer.Status != c.want || calls.Load() != c.calls {
				t.Errorf("status %v after %d calls, %v; want %d after %d", reply, calls.Load(), err, c.want, c.calls)
			}
			if c.want == 429 && reply.RetryAfter != time.Hour {
				t.Errorf("asked to wait %v", reply.RetryAfter)
			}
		})
	}
}

func TestAnswersThatNeverComeWholeAreErrors(t *testing.T) {
	v, base := visit(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte(`{"data":[]}`))
	}, nil)
	_, err := v.Get(context.Background(), base, nil)
	var f *FetchError
	if !errors.As(err, &f) {
		t.Errorf("a cut answer gave %v", err)
	}
}

func TestLongBodiesAreCutAndMarked(t *testing.T) {
	v, base := visit(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte("x"), 101)) }, func(c *Config) { c.MaxBody = 100 })
	reply, err := v.Get(context.Background(), base, nil)
	if err != nil || !reply.Answer.Truncated || reply.Answer.Size != 100 || len(reply.Body) != 100 {
		t.Errorf("got %+v, %v", reply.Answer, err)
	}
	v, base = visit(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte("x"), 100)) }, func(c *Config) { c.MaxBody = 100 })
	reply, err = v.Get(context.Background(), base, nil)
	if err != nil || reply.Answer.Truncated {
		t.Errorf("a body of just the limit: %+v, %v", reply.Answer, err)
	}
}

func TestGetFollowsNoRedirect(t *testing.T) {
	var asked atomic.Int32
	v, base := visit(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}, nil)
	reply, err := v.Get(context.Background(), base, http.Header{"Authorization": {"Bearer " + token}})
	if err != nil || reply.Answer.Status != http.StatusFound || asked.Load() != 1 {
		t.Errorf("got %+v after %d calls, %v", reply, asked.Load(), err)
	}
}

func TestOneHostsBudgetIsShared(t *testing.T) {
	v, base := visit(t, func(w http.ResponseWriter, _ *http.Request) {}, func(c *Config) { c.PerHost, c.Burst = rate.Limit(0.001), 2 })
	other := v.client.Visit("another")
	for _, x := range []*Visit{v, other} {
		if _, err := x.Get(context.Background(), base, nil); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := v.Get(ctx, base, nil); err == nil {
		t.Error("a third request went out although the budget was used up")
	}
}

func TestSameAnswerIsListedOnce(t *testing.T) {
	v, base := visit(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("same")) }, nil)
	for range 3 {
		reply, err := v.Get(context.Background(), base, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Keep(context.Background(), memory{}, reply); err != nil {
			t.Fatal(err)
		}
	}
	if a := v.Answers(); len(a) != 1 || a[0].Times != 3 {
		t.Errorf("answers are %+v", a)
	}
}
