package crawler

import (
	"context"
	"errors"
	"fmt"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/crawler/connector"
	"github.com/candor-archive/candor/crawler/platform/facebook"
	"github.com/candor-archive/candor/crawler/transport"
)

// access is what a connector is made of.
type access struct {
	visit   *transport.Visit
	objects transport.Objects
	src     candor.Source
	token   string
}

// connect makes the connector of a source's platform, and gives what names the
// account in the source's address. It is the one place that knows all
// platforms.
func (a access) connect() (api connector.API, name string, err error) {
	if a.src.Kind.NeedsToken() && a.token == "" {
		return nil, "", errors.New("no access token is set for this source")
	}
	switch a.src.Kind {
	case candor.SourceFacebook:
		api, err = facebook.New(facebook.Config{Visit: a.visit, Objects: a.objects, Base: a.src.APIURL, Token: a.token, SiteURL: a.src.URL})
		name = facebook.Ref(a.src.URL)
	default:
		err = candor.Errorf(candor.Invalid, "sources of kind %q cannot be read", a.src.Kind)
	}
	return api, name, err
}

// platform reads an account by the API of its platform.
func (p *poll) platform(ctx context.Context) (*trouble, error) {
	api, name, err := access{p.visit, p.store, p.src, p.token}.connect()
	if err != nil {
		return &trouble{err: err}, nil
	}
	return p.readAccount(ctx, api, name)
}

// Check asks the platform who the account of a source is, with a token that
// need not be stored yet. The error says in words why the platform refused.
func (c *Crawler) Check(ctx context.Context, src candor.Source, token string) (connector.Profile, error) {
	api, name, err := access{c.fetch.Visit(src.ID, token), c.cfg.Store, src, token}.connect()
	if err != nil {
		return connector.Profile{}, err
	}
	who, err := api.Profile(ctx, name)
	if err != nil {
		return connector.Profile{}, fmt.Errorf("ask the platform for the account: %w", err)
	}
	return who, nil
}
