package youtube

import (
	"context"

	"github.com/candor-archive/candor/crawler/connector"
)

// Resume stands in for Profile. Extra is the playlist of the uploads.
func (c *Client) Resume(p connector.Profile) { c.channelID, c.uploads = p.ID, p.Extra }

// Newest lists the newest uploads. It takes two calls: the list of uploads does
// not hold the videos' words.
func (c *Client) Newest(ctx context.Context, account string) (connector.Listing[connector.Post], error) {
	all := c.cfg.Calls
	c.cfg.Calls = 2
	list, err := c.Posts(ctx, account)
	c.cfg.Calls = all
	if !list.Complete {
		list.Gap.Reason = "" // of our own making
	}
	return list, err
}
