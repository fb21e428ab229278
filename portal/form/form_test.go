package form

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/candor-archive/candor"
)

func post(kind, body string) (*http.Request, error) {
	r := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return r, Parse(httptest.NewRecorder(), r, 1000)
}

func TestAFormIsReadWholeOrRefused(t *testing.T) {
	const encoded = "application/x-www-form-urlencoded"
	r, err := post(encoded, "text=a+b%0D%0Ac&n=1")
	if err != nil || Text(r, "text") != "a b\nc" || Line(r, "text") != "a b c" || Line(r, "n") != "1" {
		t.Errorf("got %q, %v", r.PostForm, err)
	}
	parts := "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhello\r\n--x--\r\n"
	if r, err = post("multipart/form-data; boundary=x", parts); err != nil || Text(r, "text") != "hello" {
		t.Errorf("multipart: %q, %v", r.PostForm, err)
	}
	var tooLarge *http.MaxBytesError
	if _, err := post(encoded, "text="+strings.Repeat("x", 2000)); !candor.IsKind(err, candor.Invalid) || !errors.As(err, &tooLarge) {
		t.Errorf("too large: %v", err)
	}
	for _, bad := range []string{"text=%zz&n=1", "text=a;n=1"} {
		if _, err := post(encoded, bad); !candor.IsKind(err, candor.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
