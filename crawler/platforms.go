package crawler

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/bluesky"
	"github.com/candor-archive/candor/crawler/platform/facebook"
	"github.com/candor-archive/candor/crawler/platform/instagram"
	"github.com/candor-archive/candor/crawler/platform/mastodon"
	"github.com/candor-archive/candor/crawler/platform/nextdoor"
	"github.com/candor-archive/candor/crawler/platform/threads"
	"github.com/candor-archive/candor/crawler/platform/x"
	"github.com/candor-archive/candor/crawler/platform/youtube"
	"github.com/candor-archive/candor/crawler/transport"
)

// access is what a connector is made of.
type access struct {
	visit   *transport.Visit
	objects transport.Objects
	src     candor.Source
	token   string
	visitor func(ctx context.Context, uid string) (bool, error) // whether a known post is a visitor's; may be nil
}

// connect makes the connector of a source's platform, and gives what names the
// account in the source's address. It is the one place that knows all
// platforms.
func (a access) connect() (api connector.API, name string, err error) {
	if a.src.Kind.NeedsToken() && a.token == "" {
		return nil, "", &connector.Error{Class: connector.BadToken, Message: "no access token is set for this source"}
	}
	switch a.src.Kind {
	case candor.SourceFacebook:
		api, err = facebook.New(facebook.Config{
			Visit: a.visit, Objects: a.objects, Base: a.src.APIURL, Token: a.token, SiteURL: a.src.URL, More: true, Visitor: a.visitor,
		})
		name = facebook.Ref(a.src.URL)
	case candor.SourceInstagram:
		api, err = instagram.New(instagram.Config{Visit: a.visit, Objects: a.objects, Base: a.src.APIURL, Token: a.token, SiteURL: a.src.URL})
		name = instagram.Ref(a.src.URL)
	case candor.SourceThreads:
		api, err = threads.New(threads.Config{Visit: a.visit, Objects: a.objects, Base: a.src.APIURL, Token: a.token, SiteURL: a.src.URL})
		name = threads.Ref(a.src.URL)
	case candor.SourceBluesky:
		api, err = bluesky.New(bluesky.Config{Visit: a.visit, Objects: a.objects, Base: a.src.APIURL, Token: a.token, SiteURL: a.src.URL})
		name = bluesky.Ref(a.src.URL)
	case candor.SourceX:
		api, err = x.New(x.Config{Visit: a.visit, Objects: a.objects, Base: a.src.APIURL, Token: a.token, SiteURL: a.src.URL})
		name = x.Ref(a.src.URL)
	case candor.SourceYouTube:
		api, err = youtube.New(youtube.Config{Visit: a.visit, Objects: a.objects, Base: a.src.APIURL, Token: a.token, SiteURL: a.src.URL, Every: a.src.Every})
		name = youtube.Ref(a.src.URL)
	case candor.SourceNextdoor:
		api, err = nextdoor.New(nextdoor.Config{Visit: a.visit, Objects: a.objects, Base: a.src.APIURL, Token: a.token, SiteURL: a.src.URL})
		name = nextdoor.Ref(a.src.URL)
	case candor.SourceMastodon:
		api, err = mastodon.New(mastodon.Config{Visit: a.visit, Objects: a.objects, Base: a.src.APIURL, Token: a.token, SiteURL: a.src.URL})
		name = mastodon.Ref(a.src.URL)
	default:
		err = candor.Errorf(candor.Invalid, "sources of kind %q cannot be read", a.src.Kind)
	}
	return api, name, err
}

// platform reads an account by the API of its platform.
func (p *poll) platform(ctx context.Context) (*trouble, error) {
	api, name, err := access{p.visit, p.store, p.src, p.token, p.visitor}.connect()
	if err != nil {
		return &trouble{err: err}, nil
	}
	return p.readAccount(ctx, api, name)
}

// visitor reports whether the archive holds a post as a visitor's.
func (p *poll) visitor(ctx context.Context, uid string) (bool, error) {
	known, err := p.store.Known(ctx, p.src.ID, []string{uid})
	k, have := known[uid]
	return have && !k.Record.ByAgency, err
}

// Check asks the platform who the account of a source is, with a token that
// need not be stored yet. Nothing of it is kept. When the token may not read
// what the source's address names, and the source was archived before, it tells
// whose token it is: the account may have another name by now, or the token be
// another account's. A *candor.AccessError says why the platform did not tell;
// Invalid, that no source of this kind or with this address can be read.
func (c *Crawler) Check(ctx context.Context, src candor.Source, token string) (candor.Account, error) {
	api, name, err := access{c.fetch.Visit(src.ID, token), forgetful{}, src, token, nil}.connect()
	var who connector.Profile
	if err == nil {
		who, err = api.Profile(ctx, name)
		if err != nil && name != "" && src.AccountID != "" && reason(err) == candor.GapAccess {
			if own, ownErr := api.Profile(ctx, ""); ownErr == nil {
				who, err = own, nil
			}
		}
	}
	if refused := (*connector.Error)(nil); errors.As(err, &refused) {
		return candor.Account{}, &candor.AccessError{Reason: reason(err), Said: err.Error()}
	}
	if err != nil {
		return candor.Account{}, fmt.Errorf("ask the platform for the account: %w", err)
	}
	return candor.Account{Platform: string(src.Kind), PlatformID: who.ID, Handle: who.Username, Name: who.Name, URL: who.Link}, nil
}

// forgetful takes answers that are read once and not archived.
type forgetful struct{}

func (forgetful) PutObject(_ context.Context, r io.Reader) (sha string, size int64, err error) {
	body, err := io.ReadAll(r)
	return candor.SHA256(body), int64(len(body)), err
}
