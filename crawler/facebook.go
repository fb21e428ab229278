package crawler

import (
	"context"
	"errors"

	"github.com/candor-archive/candor/crawler/platform/facebook"
)

// facebook reads a Page by the Graph API.
func (p *poll) facebook(ctx context.Context) (*trouble, error) {
	if p.token == "" {
		return &trouble{err: errors.New("no access token is set for this source")}, nil
	}
	api, err := facebook.New(facebook.Config{Visit: p.visit, Objects: p.store, Base: p.src.APIURL, Token: p.token, SiteURL: p.src.URL})
	if err != nil {
		return &trouble{err: err}, nil
	}
	return p.readAccount(ctx, api, facebook.Ref(p.src.URL))
}
