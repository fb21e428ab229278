package x

import (
	"context"
	"fmt"

	"github.com/candor-archive/candor/crawler/connector"
)

// newest is how many posts a glance reads. Each costs money, once a day.
const newest = 20

// Resume stands in for Profile. Extra is how many posts the account has.
func (c *Client) Resume(p connector.Profile) {
	c.account, c.users[p.ID] = p.ID, user{ID: p.ID, Name: p.Name, Username: p.Username}
	_, _ = fmt.Sscan(p.Extra, &c.tweeted) // when it is not there, the next Profile tells
}

// Newest lists the newest posts with one call.
func (c *Client) Newest(ctx context.Context, account string) (connector.Listing[connector.Post], error) {
	all := c.cfg
	c.cfg.Pages, c.cfg.Limit = 1, newest
	list, err := c.Posts(ctx, account)
	c.cfg = all
	if !list.Complete {
		list.Gap.Reason = "" // of our own making
	}
	return list, err
}
