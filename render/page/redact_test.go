package page

import "testing"

func TestNoCredentialStaysInAnAddress(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/x?q=1&b=%20c#part":                       "https://a.example/x?q=1&b=%20c#part",
		"https://u:p@a.example/x":                                   "https://a.example/x",
		"https://u:p@a.example":                                     "https://a.example",
		"https://a.example/@city/status":                            "https://a.example/@city/status",
		"https://a.example/?next=u@b.example":                       "https://a.example/?next=u@b.example",
		"https://a.example/v1?fields=id&access_token=EAAB1&limit=2": "https://a.example/v1?fields=id&access_token=[removed]&limit=2",
		"https://a.example/?Access-Token=x&api_key=y":               "https://a.example/?Access-Token=[removed]&api_key=[removed]",
		"https://a.example/?access%5Ftoken=x":                       "https://a.example/?access%5Ftoken=[removed]",
		"https://a.example/cb#access_token=x&state=1":               "https://a.example/cb#access_token=[removed]&state=1",
		"https://a.example/#/cb?id_token=x":                         "https://a.example/#/cb?id_token=[removed]",
		"https://a.example/p;jsessionid=AF12?x=1":                   "https://a.example/p;jsessionid=[removed]?x=1",
		"https://a.example/?token_count=3&key=abc&sid=7&tokens=a,b": "https://a.example/?token_count=3&key=abc&sid=7&tokens=a,b",
		"wss://a.example/ws?sessionid=1":                            "wss://a.example/ws?sessionid=[removed]",
		"not an address %zz?password=1":                             "not an address %zz?password=[removed]",
		"data:text/plain,a?b=c":                                     "data:text/plain,a?b=c",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
	for _, c := range [][3]string{
		{"application/x-www-form-urlencoded", "user=a&password=b", "user=a&password=[removed]"},
		{"application/json", `{"user":"a", "password" : "b\"c","n":1}`, `{"user":"a", "password" : "[removed]","n":1}`},
		{"text/plain", `{"access_token":"x"}`, `{"access_token":"[removed]"}`},
		{"text/plain", "just words", "just words"},
	} {
		if got := string(cleanBody(c[0], []byte(c[1]))); got != c[2] {
			t.Errorf("%s %q became %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
