package nextdoor

import (
	"context"

	"github.com/candor-archive/candor/crawler/connector"
)

// Resume stands in for Profile.
func (c *Client) Resume(p connector.Profile) {
	c.who = p
	c.self[p.ID] = true
}

// Newest lists the newest posts, which is all that the platform lists.
func (c *Client) Newest(ctx context.Context, account string) (connector.Listing[connector.Post], error) {
	return c.Posts(ctx, account)
}
