package crawler

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/candor-archive/candor"
)

// frozen is an archive that takes nothing.
type frozen struct {
	Store
	t *testing.T
}

func (f frozen) PutObject(context.Context, io.Reader) (string, int64, error) {
	f.t.Error("a test of access was put into the archive")
	return "", 0, nil
}

func TestCheckAsksWhoTheAccountIsAndKeepsNothing(t *testing.T) {
	s, f := memoryScene(t)
	s.crawler.cfg.Store = frozen{f, t}
	who, err := s.crawler.Check(t.Context(), f.src, graphToken)
	if err != nil || who.PlatformID == "" || who.Name == "" || who.Platform != "facebook" {
		t.Fatalf("account %+v, %v", who, err)
	}
	const wrong = "another-token-altogether"
	for _, c := range []struct {
		name   string
		token  string
		change func(*candor.Source)
		reason candor.GapReason
	}{
		{"wrong token", wrong, func(*candor.Source) {}, candor.GapToken},
		{"no token", "", func(*candor.Source) {}, candor.GapToken},
		{"no API there", wrong, func(x *candor.Source) { x.APIURL = "http://127.0.0.1:1" }, candor.GapPlatform},
	} {
		src := f.src
		c.change(&src)
		_, err := s.crawler.Check(t.Context(), src, c.token)
		var refused *candor.AccessError
		if !errors.As(err, &refused) || refused.Reason != c.reason || strings.Contains(refused.Said, wrong) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	renamed := f.src
	renamed.URL += "-under-another-name"
	if _, err := s.crawler.Check(t.Context(), renamed, graphToken); err == nil {
		t.Error("an address that names no account is taken for one")
	}
	renamed.AccountID = "known"
	if own, err := s.crawler.Check(t.Context(), renamed, graphToken); err != nil || own.PlatformID != who.PlatformID {
		t.Errorf("whose token it is: %+v, %v", own, err)
	}
	website := f.src
	website.Kind = candor.SourceWebsite
	if _, err := s.crawler.Check(t.Context(), website, ""); !candor.IsKind(err, candor.Invalid) {
		t.Errorf("a website was asked who it is: %v", err)
	}
}
